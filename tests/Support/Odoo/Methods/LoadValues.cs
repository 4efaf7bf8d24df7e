using System.Globalization;
using Cdc.Tests.Support.Odoo.Errors;
using Cdc.Tests.Support.Odoo.Models;
using Cdc.Tests.Support.Odoo.Orm;

namespace Cdc.Tests.Support.Odoo.Methods;

/// <summary>A text that is no value of its field.</summary>
internal sealed class LoadValueException(string message, object? moreInfo = null) : Exception(message)
{
    public object? MoreInfo => moreInfo;
}

/// <summary>Texts of an import to values of fields. Times are those of the context's zone, or the user's.</summary>
internal static class LoadValues
{
    public static async Task<object?> ConvertAsync(OdooEnvironment env, OdooField field, LoadValue given)
    {
        if (given.IsEmpty)
            return false;
        switch (field.Type)
        {
            case FieldType.Float:
                return given.Value is double or long || double.TryParse(given.Text, CultureInfo.InvariantCulture, out _)
                    ? given.Value
                    : throw new LoadValueException($"'{given.Text}' does not seem to be a number for field '{field.Label}'");
            case FieldType.Integer:
                return long.TryParse(given.Text, CultureInfo.InvariantCulture, out var whole)
                    ? whole
                    : throw new LoadValueException($"'{given.Text}' does not seem to be an integer for field '{field.Label}'");
            case FieldType.Boolean:
                return given.Text.ToLowerInvariant() is "1" or "true" or "yes" or "t" or "y";
            case FieldType.Date:
                return
                    FieldValues.ParseDate(given.Text) is not null
                    || FieldValues.ParseDate(given.Text[..Math.Min(10, given.Text.Length)]) is not null
                    ? given.Text
                    : throw new LoadValueException(
                        $"'{given.Text}' does not seem to be a valid date for field '{field.Label}'",
                        "Use the format '2012-12-31'"
                    );
            case FieldType.DateTime:
                return await ToUtcAsync(env, field, given.Text);
            case FieldType.Many2One:
                return await LinkedAsync(env, field, given);
            default:
                return given.Text;
        }
    }

    private static async Task<string> ToUtcAsync(OdooEnvironment env, OdooField field, string text)
    {
        var local =
            FieldValues.ParseDateTime(text)
            ?? throw new LoadValueException(
                $"'{text}' does not seem to be a valid datetime for field '{field.Label}'",
                "Use the format '2012-12-31 23:59:59'"
            );
        // By PostgreSQL's zones: not every machine has its own.
        var utc = (DateTime)(await env.ScalarAsync("SELECT $1 AT TIME ZONE $2 AT TIME ZONE 'UTC'", local, env.TimeZone))!;
        return utc.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
    }

    private static async Task<object?> LinkedAsync(OdooEnvironment env, OdooField field, LoadValue given)
    {
        var other = env.Models.Find(field.Relation!) ?? throw OdooError.Value($"Unknown model {field.Relation}");
        var dot = given.Text.IndexOf('.', StringComparison.Ordinal);
        var (sql, arguments, what) = given.Sub switch
        {
            ".id" => (
                $"SELECT id FROM {other.Table} WHERE id = $1",
                new object?[] { long.TryParse(given.Text, CultureInfo.InvariantCulture, out var id) ? id : 0L },
                "database id"
            ),
            "id" => (
                $"SELECT t.id FROM ir_model_data d JOIN {other.Table} t ON t.id = d.res_id WHERE d.module = $1 AND d.name = $2 AND d.model = $3",
                [dot < 0 ? "__import__" : given.Text[..dot], given.Text[(dot + 1)..], other.Name],
                "external id"
            ),
            _ => ($"SELECT id FROM {other.Table} WHERE {NameColumn(other)} = $1 ORDER BY id", [given.Text], "name"),
        };
        return await env.ScalarAsync(sql, arguments) is int found
            ? (long)found
            : throw new LoadValueException(
                $"No matching record found for {what} '{given.Text}' in field '{field.Label}'",
                PossibleValues(other, env.Models.Major)
            );
    }

    private static string NameColumn(OdooModel model) =>
        model.Fields.TryGetValue("name", out var name)
            ? name.IsTranslated
                ? "name ->> 'en_US'"
                : "name"
            : "code";

    private static PyDict PossibleValues(OdooModel model, int major)
    {
        var list = major >= 18 ? "list" : "tree";
        return new PyDict
        {
            ["name"] = "Possible Values",
            ["type"] = "ir.actions.act_window",
            ["target"] = "new",
            ["view_mode"] = $"{list},form",
            ["views"] = new List<object?>
            {
                new List<object?> { false, list },
                new List<object?> { false, "form" },
            },
            ["context"] = new PyDict { ["create"] = false },
            ["help"] = "See all possible values",
            ["res_model"] = "ir.model.data",
            ["domain"] = new List<object?>
            {
                new List<object?> { "model", "=", model.Name },
            },
        };
    }
}
