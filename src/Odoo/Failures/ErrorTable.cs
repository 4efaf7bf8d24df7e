using System.Text.RegularExpressions;
using Cdc.Core.Failures;

namespace Cdc.Odoo.Failures;

/// <summary>
/// What an exception of Odoo's means: one table for both transports. By its name; where Odoo gives the same name to different things, by
/// the form of its text, which is English because our context says so.
/// </summary>
internal static partial class ErrorTable
{
    public static OdooFailure Of(OdooError error, CallFacts call) =>
        error.Name switch
        {
            _ when PostgresErrors.IsConcurrency(error.Message) => Passing(error),
            "odoo.exceptions.AccessDenied" or "werkzeug.exceptions.Unauthorized" or "odoo.http.SessionExpiredException" => Key(error),
            "odoo.exceptions.AccessError" or "werkzeug.exceptions.Forbidden" => Systemic(
                "odoo-access",
                "denies it",
                error,
                Remedies.Access
            ),
            "odoo.exceptions.LockError" => Passing(error),
            "odoo.exceptions.MissingError" when call.Name == "ir.actions.server/run" && OfAction().IsMatch(error.Message) => Systemic(
                "odoo-action",
                "has not the action any more",
                error,
                Remedies.Sequence
            ),
            "odoo.exceptions.MissingError" => new(
                "odoo-missing",
                FailureClass.Refused,
                $"has no such record: {error.Text}.",
                Remedies.Refused
            ),
            "odoo.exceptions.UserError" when MissingModel().IsMatch(error.Message) => Schema(error),
            "odoo.exceptions.UserError" when error.Message.StartsWith("The system parameter cdc.cards", StringComparison.Ordinal) =>
                Systemic("odoo-registry", "lost the registry of cards that the engine made", error, Remedies.Sequence),
            _ when error.Name.StartsWith("odoo.exceptions.", StringComparison.Ordinal) => Refused(error),
            _ when error.Name.StartsWith("psycopg2.", StringComparison.Ordinal) => PostgresErrors.Of(ShortName(error.Name), error.Text),
            _ when error.Name.StartsWith("werkzeug.", StringComparison.Ordinal) => OfHttp(error),
            _ => OfPython(error),
        };

    /// <summary>Of the router: the call itself is wrong.</summary>
    private static OdooFailure OfHttp(OdooError error) =>
        error.Status switch
        {
            401 => Key(error),
            403 => Systemic("odoo-access", "denies it", error, Remedies.Access),
            404 => Schema(error),
            409 or 429 => Passing(error),
            >= 500 => Passing(error),
            _ => Systemic("odoo-call", "does not take the call", error, Remedies.Call),
        };

    private static OdooFailure OfPython(OdooError error) =>
        ShortName(error.Name) switch
        {
            _ when error.IsOfAction => InAction(error),
            "ValueError" or "KeyError" when UnknownField().IsMatch(error.Message) => Schema(error),
            "AttributeError" when UnknownMethod().IsMatch(error.Message) => Schema(error),
            "TypeError" when WrongArguments().IsMatch(error.Message) => Systemic(
                "odoo-call",
                "does not take the call",
                error,
                Remedies.Call
            ),
            "MemoryError" or "TimeoutError" => Passing(error),
            _ => Refused(error),
        };

    /// <summary>
    /// The action's own code failed. PostgreSQL's refusals are those of the data that it was sent; a name that is not there, of the code.
    /// </summary>
    private static OdooFailure InAction(OdooError error) =>
        error.ActionName switch
        {
            "UndefinedColumn" or "UndefinedTable" => Systemic(
                "odoo-fields",
                "lacks the fields of the way 'sequence'",
                error,
                Remedies.Sequence
            ),
            { } name when PostgresErrors.Is(name) => PostgresErrors.Of(name, error.Text),
            "ValueError" when UnknownField().IsMatch(error.Message[(error.Message.IndexOf('"') + 1)..]) => Schema(error),
            "NameError" or "SyntaxError" or "IndentationError" or "AttributeError" => Systemic(
                "odoo-action",
                "has another action than ours",
                error,
                Remedies.Sequence
            ),
            _ => Refused(error),
        };

    private static OdooFailure Passing(OdooError error) =>
        new("odoo-busy", FailureClass.Transient, $"gave up for now: {error.Text}.", Remedies.Wait);

    private static OdooFailure Refused(OdooError error) =>
        new("odoo-refused", FailureClass.Refused, $"refused it: {error.Text}.", Remedies.Refused);

    private static OdooFailure Schema(OdooError error) => Systemic("odoo-schema", "lacks what is needed", error, Remedies.Schema);

    private static OdooFailure Key(OdooError error) =>
        Systemic("odoo-key", "does not know the key", error, Remedies.Key) with
        {
            Kind = FailureKind.Configuration,
        };

    private static OdooFailure Systemic(string code, string what, OdooError error, string remedy) =>
        new(code, FailureClass.Systemic, $"{what}: {error.Text}.", remedy);

    private static string ShortName(string name) => name[(name.LastIndexOf('.') + 1)..];

    [GeneratedRegex(@"\bir\.actions\.server\(")]
    private static partial Regex OfAction();

    [GeneratedRegex(@"^Object \S+ doesn't exist$")]
    private static partial Regex MissingModel();

    [GeneratedRegex(@"^""?Invalid field|^'?x_cdc_")]
    private static partial Regex UnknownField();

    [GeneratedRegex(@"^The method .* does not exist|has no attribute")]
    private static partial Regex UnknownMethod();

    [GeneratedRegex(@"unexpected keyword argument|required positional argument|positional arguments? but|multiple values for")]
    private static partial Regex WrongArguments();
}
