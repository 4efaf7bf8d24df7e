using System.Globalization;
using Cdc.Tests.Support.Odoo.Models;
using Npgsql;

namespace Cdc.Tests.Support.Odoo.Errors;

/// <summary>Errors of PostgreSQL as psycopg2 words them, and what Odoo makes of those of integrity.</summary>
internal static class DatabaseErrors
{
    /// <summary>libpq shows so much of a line.</summary>
    private const int DisplayedLine = 60;

    private static readonly Dictionary<string, string> Names = new()
    {
        [PostgresErrorCodes.SerializationFailure] = "SerializationFailure",
        [PostgresErrorCodes.DeadlockDetected] = "DeadlockDetected",
        [PostgresErrorCodes.LockNotAvailable] = "LockNotAvailable",
        [PostgresErrorCodes.QueryCanceled] = "QueryCanceled",
        [PostgresErrorCodes.AdminShutdown] = "AdminShutdown",
        [PostgresErrorCodes.UniqueViolation] = "UniqueViolation",
        [PostgresErrorCodes.NotNullViolation] = "NotNullViolation",
        [PostgresErrorCodes.ForeignKeyViolation] = "ForeignKeyViolation",
        [PostgresErrorCodes.CheckViolation] = "CheckViolation",
        [PostgresErrorCodes.UndefinedColumn] = "UndefinedColumn",
        [PostgresErrorCodes.UndefinedTable] = "UndefinedTable",
        [PostgresErrorCodes.NumericValueOutOfRange] = "NumericValueOutOfRange",
    };

    /// <summary>Odoo runs the whole call again.</summary>
    public static bool IsRetried(this PostgresException e) =>
        e.SqlState is PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.LockNotAvailable;

    /// <summary>psycopg2's OperationalError: a body of a server action lets it pass.</summary>
    public static bool IsOperational(this PostgresException e) => e.IsRetried() || e.SqlState[..2] is "08" or "53" or "57" or "58";

    public static bool IsIntegrity(this PostgresException e) => e.SqlState.StartsWith("23", StringComparison.Ordinal);

    public static string ClassName(this PostgresException e) => Names.GetValueOrDefault(e.SqlState, "DatabaseError");

    /// <summary>str() of psycopg2's exception.</summary>
    /// <param name="sql">The statement, of which the message shows a line.</param>
    public static string Text(this PostgresException e, string? sql = null) =>
        $"{e.MessageText}\n{Line(e, sql)}{(e.Detail is null ? "" : $"DETAIL:  {e.Detail}\n")}{(e.Hint is null ? "" : $"HINT:  {e.Hint}\n")}";

    public static OdooError AsOdoo(this PostgresException e) => new($"psycopg2.errors.{e.ClassName()}", 500, e.Text());

    /// <summary>Of UNIQUE and NOT NULL: what a user reads, and the field.</summary>
    public static (string Message, string? Field) Explain(this PostgresException e, OdooModels models)
    {
        var model = models.All.FirstOrDefault(m => m.Table == e.TableName);
        if (e.SqlState == PostgresErrorCodes.NotNullViolation && model?.Fields.GetValueOrDefault(e.ColumnName ?? "") is { } field)
            return (
                $"Missing required value for the field '{field.Label}' ({field.Name}).\nModel: '{model.Description}' ({model.Name})\n"
                    + "- create/update: a mandatory field is not set\n"
                    + "- delete: another model requires the record being deleted, you can archive it instead\n",
                field.Name
            );
        return e.ConstraintName switch
        {
            "loyalty_card_card_code_unique" => ("A coupon/loyalty card must have a unique code.", "code"),
            "ir_config_parameter_key_uniq" => ("Key must be unique.", "key"),
            "res_users_login_key" => ("You can not have two users with the same login!", "login"),
            "ir_model_fields_name_unique" => ("Field names must be unique per model.", "name"),
            _ => (e.Text(), null),
        };
    }

    private static string Line(PostgresException e, string? sql)
    {
        if (sql is null || e.Position == 0 || e.Position > sql.Length)
            return "";
        var before = sql.AsSpan(0, e.Position - 1);
        var start = before.LastIndexOf('\n') + 1;
        var line = sql[start..].Split('\n')[0];
        var column = e.Position - 1 - start;
        var shown = line.Length > DisplayedLine ? line[..DisplayedLine] + "..." : line;
        var label = string.Create(CultureInfo.InvariantCulture, $"LINE {before.Count('\n') + 1}: ");
        return $"{label}{shown}\n{new string(' ', label.Length + column)}^\n";
    }
}
