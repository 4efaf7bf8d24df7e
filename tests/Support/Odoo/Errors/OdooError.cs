using Cdc.Tests.Support.Odoo.Python;

namespace Cdc.Tests.Support.Odoo.Errors;

/// <summary>What Odoo answers in place of a result: its class of exception, and the status that JSON-2 makes of it.</summary>
internal sealed class OdooError(string name, int status, string message, params object?[] more) : Exception(message)
{
    /// <summary>As <c>error.data.name</c> has it.</summary>
    public string Name => name;

    public int Status => status;

    public IReadOnlyList<object?> Arguments { get; } = [message, .. more];

    /// <summary>A body of the action lets it pass: it is of Odoo's own kinds.</summary>
    public bool IsUserError => name.StartsWith("odoo.exceptions.", StringComparison.Ordinal);

    public static OdooError User(string message) => new("odoo.exceptions.UserError", 422, message);

    public static OdooError Validation(string message) => new("odoo.exceptions.ValidationError", 422, message);

    public static OdooError Access(string message) => new("odoo.exceptions.AccessError", 403, message);

    public static OdooError AccessDenied() => new("odoo.exceptions.AccessDenied", 403, "Access Denied");

    public static OdooError Value(string message) => new("builtins.ValueError", 500, message);

    public static OdooError Http(string kind, int status, string message) =>
        new($"werkzeug.exceptions.{kind}", status, message, (long)status);

    /// <summary>Its database is away, or has ended the session.</summary>
    public static OdooError Operational(string message) => new("psycopg2.OperationalError", 500, message);

    /// <param name="ids">Those that do not exist.</param>
    public static OdooError Missing(string model, IReadOnlyCollection<long> ids, int uid) =>
        new(
            "odoo.exceptions.MissingError",
            404,
            $"Record does not exist or has been deleted.\n(Record: {model}{PyRepr.OfTuple(ids)}, User: {uid})"
        );
}
