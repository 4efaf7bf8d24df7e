using System.Net.Http;

namespace Cdc.Odoo.Transport;

/// <summary>Each sending waits for its turn, also a repeated one; the time-out begins after that.</summary>
internal sealed class PaceHandler(CallPace pace) : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        await pace.EnterAsync(cancellationToken);
        try
        {
            return await base.SendAsync(request, cancellationToken);
        }
        finally
        {
            pace.Leave();
        }
    }
}
