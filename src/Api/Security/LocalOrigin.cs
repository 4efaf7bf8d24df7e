using System.Net;
using Microsoft.AspNetCore.Http;

namespace Cdc.Api.Security;

/// <summary>
/// Callers that need no key: programs on this machine, by whatever name they call it; and browsers on it only when they show our own page,
/// for any other page could otherwise read balances or switch flags through them.
/// </summary>
internal static class LocalOrigin
{
    public static bool IsTrusted(HttpContext http)
    {
        if (
            http.Connection.RemoteIpAddress is not { } address
            || !IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address)
        )
            return false;
        // A proxy on this machine forwards requests of other machines.
        if (http.Request.Headers.ContainsKey("X-Forwarded-For") || http.Request.Headers.ContainsKey("Forwarded"))
            return false;
        return !IsBrowser(http.Request) || (IsLoopbackName(http.Request.Host.Host) && IsSameOrigin(http.Request));
    }

    /// <summary>These headers a page's script can neither set nor leave out.</summary>
    private static bool IsBrowser(HttpRequest request) =>
        request.Headers.Keys.Any(name => name.StartsWith("Sec-Fetch-", StringComparison.OrdinalIgnoreCase))
        || request.Headers.ContainsKey("Origin")
        || request.Headers.ContainsKey("Accept-Language");

    private static bool IsSameOrigin(HttpRequest request)
    {
        if ((string?)request.Headers["Sec-Fetch-Site"] is { } site && site is not ("same-origin" or "none"))
            return false;
        return (string?)request.Headers.Origin is not { } origin
            || origin.Equals($"{request.Scheme}://{request.Host.Value}", StringComparison.OrdinalIgnoreCase);
    }

    private static bool IsLoopbackName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
