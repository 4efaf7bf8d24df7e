using System.Net.Http;
using System.Security.Authentication;
using Cdc.Core.Failures;
using Polly.CircuitBreaker;
using Polly.Timeout;

namespace Cdc.Odoo.Failures;

/// <summary>Calls that got no answer at all.</summary>
internal static class NetworkTable
{
    /// <returns>Null: no failure of the network but a defect, or a cancellation.</returns>
    public static OdooFailure? Of(Exception exception) =>
        exception switch
        {
            BrokenCircuitException => Away("has been away for a while, and is not asked for some seconds."),
            TimeoutRejectedException => Away("did not answer in Odoo:Timeout."),
            HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } or AuthenticationException => Certificate(
                exception
            ),
            HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } => Away(
                "has a host name that is not known now."
            ),
            HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } => Away("takes no connection now."),
            HttpRequestException or IOException => Away("was cut off before its answer."),
            OperationCanceledException { InnerException: TimeoutException } => Away("takes no connection in time."),
            _ => null,
        };

    private static OdooFailure Away(string what) => new("odoo-away", FailureClass.Transient, what, Remedies.Wait);

    private static OdooFailure Certificate(Exception exception) =>
        new(
            "odoo-tls",
            FailureClass.Systemic,
            $"has no secure connection: {(exception.InnerException ?? exception).Message}",
            "Renew the certificate of Odoo's proxy if it has run out, or install its issuer on this machine "
                + "(SSL_CERT_FILE). Calls are not made without checking it."
        )
        {
            Kind = FailureKind.Configuration,
        };
}
