using System.Net;
using Cdc.Core.Failures;
using Microsoft.AspNetCore.Http;

namespace Cdc.Api.Security;

/// <summary>Where to listen.</summary>
/// <param name="Url">Such as <c>http://127.0.0.1:8642</c>.</param>
/// <param name="Narrowed">It was configured to be open to other machines, which is refused while there are no keys.</param>
internal sealed record ListenUrl(BindingAddress Url, bool Narrowed)
{
    public bool IsHttps => Url.Scheme == "https";

    /// <param name="anyKeys">False: listens on this machine only.</param>
    /// <exception cref="CdcException">Configuration.</exception>
    public static IReadOnlyList<ListenUrl> Parse(string urls, bool anyKeys)
    {
        var parsed = urls.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(u => One(u, anyKeys))
            .ToList();
        return parsed.Count > 0 ? parsed : throw Wrong(urls);
    }

    public IPAddress? Address =>
        Url.Host is "localhost" ? IPAddress.Loopback
        : IPAddress.TryParse(Url.Host.Trim('[', ']'), out var address) ? address
        : null;

    private static ListenUrl One(string text, bool anyKeys)
    {
        BindingAddress url;
        try
        {
            url = BindingAddress.Parse(text);
        }
        catch (FormatException)
        {
            throw Wrong(text);
        }
        if (
            url.Scheme is not ("http" or "https")
            || url.IsUnixPipe
            || url.PathBase.Length > 0
            || url.Port is < IPEndPoint.MinPort or > IPEndPoint.MaxPort
        )
            throw Wrong(text);
        var plain = new ListenUrl(url, Narrowed: false);
        return anyKeys || (plain.Address is { } address && IPAddress.IsLoopback(address))
            ? plain
            : new ListenUrl(BindingAddress.Parse($"{url.Scheme}://127.0.0.1:{url.Port}"), Narrowed: true);
    }

    private static CdcException Wrong(string text) =>
        new(
            FailureKind.Configuration,
            $"Api:Urls holds '{text}', which is not an address to listen on.",
            "Write it as http://127.0.0.1:8642 or https://*:8443; separate several by semicolons."
        );
}
