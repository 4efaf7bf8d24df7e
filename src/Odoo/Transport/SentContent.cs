using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;

namespace Cdc.Odoo.Transport;

/// <summary>
/// A call's body, which knows whether any of it has left: from then on a call without an answer may have been done (a client that closes
/// its
/// socket after sending was seen to have its call committed). Before, it was not.
/// </summary>
internal sealed class SentContent : HttpContent
{
    private readonly byte[] _body;

    public SentContent(byte[] body)
    {
        _body = body;
        // Odoo answers any other type with a page (415).
        Headers.ContentType = new MediaTypeHeaderValue("application/json");
    }

    public bool HasLeft { get; set; }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        HasLeft = true;
        await stream.WriteAsync(_body, cancellationToken);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _body.Length;
        return true;
    }
}
