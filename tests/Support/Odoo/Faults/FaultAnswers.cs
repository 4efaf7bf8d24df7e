using Cdc.Tests.Support.Odoo.Errors;
using Cdc.Tests.Support.Odoo.Http;

namespace Cdc.Tests.Support.Odoo.Faults;

/// <summary>Bodies of answers that come without Odoo having done anything.</summary>
internal static class FaultAnswers
{
    public static OdooAnswer Of(int status) =>
        status switch
        {
            401 => OdooAnswer.Of(OdooError.Http("Unauthorized", 401, "Invalid apikey")),
            403 => OdooAnswer.Of(OdooError.Access("You don't have enough access rights to run this action.")),
            404 => OdooAnswer.Html(
                404,
                "Not Found",
                "No database is selected and the requested URL was not found in the server-wide controllers."
            ),
            409 => OdooAnswer.Of(
                new OdooError(
                    "odoo.exceptions.LockError",
                    409,
                    "Cannot grab a lock on the record, it is being updated by another transaction."
                )
            ),
            415 => OdooAnswer.Html(415, "Unsupported Media Type", "Please verify the Content-Type request header and try again."),
            422 => OdooAnswer.Of(OdooError.User("This is not allowed.")),
            429 => OdooAnswer.Html(429, "Too Many Requests", "Please slow down."),
            500 => OdooAnswer.Html(
                500,
                "Internal Server Error",
                "The server encountered an internal error and was unable to complete your request."
            ),
            502 => OdooAnswer.Html(502, "Bad Gateway", "nginx"),
            503 => OdooAnswer.Html(503, "Service Unavailable", "We'll be back in a few minutes."),
            _ => OdooAnswer.Html(status, "Error", "nginx"),
        };
}
