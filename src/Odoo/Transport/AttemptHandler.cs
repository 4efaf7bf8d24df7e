using System.Net.Http;
using Cdc.Odoo.Failures;

namespace Cdc.Odoo.Transport;

/// <summary>
/// One sending: the whole answer is read here, so that one that breaks in the middle counts as none; and it is noted where the sending may
/// have been done without an answer that says so.
/// </summary>
internal sealed class AttemptHandler : DelegatingHandler
{
    /// <summary>Far above any answer that is asked for.</summary>
    private const int LongestAnswer = 64 << 20;

    public static readonly HttpRequestOptionsKey<CallFacts> Facts = new("cdc.call");

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var content = request.Content as SentContent;
        if (content is not null)
            content.HasLeft = false;
        try
        {
            var response = await base.SendAsync(request, cancellationToken);
            await response.Content.LoadIntoBufferAsync(LongestAnswer, cancellationToken);
            if (PageTable.MayHideAResult((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType))
                Mark(request, content);
            return response;
        }
        catch
        {
            Mark(request, content);
            throw;
        }
    }

    private static void Mark(HttpRequestMessage request, SentContent? content)
    {
        if (content is { HasLeft: true } && request.Options.TryGetValue(Facts, out var facts))
            facts.MarkInDoubt();
    }
}
