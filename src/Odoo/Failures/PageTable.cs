using System.Globalization;
using Cdc.Core.Failures;
using Cdc.Odoo.Transport;

namespace Cdc.Odoo.Failures;

/// <summary>
/// Answers that are no answer of the API: pages of a proxy, of a maintenance, of Odoo's web server before it has found a database.
/// </summary>
internal static class PageTable
{
    /// <summary>
    /// Waiting helps. What came is known by its status and type alone, before a byte of it is read. 408 and 429 say that nothing was done;
    /// of the others a proxy may have given Odoo's answer up (502, 504, a page in its place).
    /// </summary>
    public static bool IsPassing(int status, string? mediaType) =>
        status switch
        {
            408 or 425 or 429 => true,
            >= 500 => !IsJson(mediaType),
            >= 200 and < 300 => !IsJson(mediaType),
            _ => false,
        };

    public static bool MayHideAResult(int status, string? mediaType) => IsPassing(status, mediaType) && status is not (408 or 425 or 429);

    public static OdooFailure Of(OdooReply reply) =>
        reply.Status switch
        {
            429 => Passing(
                reply,
                "wants fewer calls",
                "Set Odoo:CallsPerSecond or Odoo:ParallelCalls lower. Until then the call is made again."
            ),
            _ when IsPassing(reply.Status, reply.MediaType) => Passing(reply, "is away: something else answered", Remedies.Wait),
            301 or 308 => Address(reply, $"is elsewhere: {reply.Location}"),
            >= 300 and < 400 when IsSamePlaceOverTls(reply) => Address(reply, $"is elsewhere: {reply.Location}"),
            >= 300 and < 400 => Passing(reply, "is away: another page was named", Remedies.Wait),
            400 or 405 or 415 => new OdooFailure("odoo-call", FailureClass.Systemic, Says(reply, "does not take the call"), Remedies.Call),
            401 or 403 or 407 => new OdooFailure(
                "odoo-proxy",
                FailureClass.Systemic,
                Says(reply, "was not reached: something before it refused the call"),
                "Let the proxy before Odoo pass calls from this machine to /json/2 and /jsonrpc, without a sign-in of its own."
            ),
            404 or 410 => Address(reply, "has no such address, or no such database at this host name"),
            409 or 423 => Passing(reply, "is busy", Remedies.Wait),
            413 => new OdooFailure(
                "odoo-too-large",
                FailureClass.Refused,
                Says(reply, "was not reached: the call is too large"),
                Remedies.TooLarge
            ),
            _ => Unreadable(Says(reply, "answered with something that is no answer of its API")),
        };

    /// <summary>Cut off, or not of the API's form: what the call did is not known.</summary>
    public static OdooFailure Unreadable(string message) =>
        new("odoo-answer", FailureClass.Transient, message, Remedies.Wait) { MayBeApplied = true };

    private static OdooFailure Passing(OdooReply reply, string what, string remedy) =>
        new("odoo-away", FailureClass.Transient, Says(reply, what), remedy)
        {
            MayBeApplied = MayHideAResult(reply.Status, reply.MediaType),
            RetryAfter = reply.RetryAfter,
        };

    private static OdooFailure Address(OdooReply reply, string what) =>
        new("odoo-address", FailureClass.Systemic, Says(reply, what), Remedies.Address) { Kind = FailureKind.Configuration };

    private static string Says(OdooReply reply, string what) =>
        string.Create(CultureInfo.InvariantCulture, $"{what} (HTTP {reply.Status}, {reply.MediaType ?? "no content type"}).");

    private static bool IsSamePlaceOverTls(OdooReply reply) =>
        reply is { Location: { Scheme: "https" } to, Asked: { Scheme: "http" } asked } && to.AbsolutePath == asked.AbsolutePath;

    private static bool IsJson(string? mediaType) =>
        mediaType is not null
        && (mediaType.EndsWith("/json", StringComparison.Ordinal) || mediaType.EndsWith("+json", StringComparison.Ordinal));
}
