using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace Cdc.Api.Page;

/// <summary>
/// The page at /: embedded files, open without a key because they hold nothing secret. They read their data with the viewer's key.
/// </summary>
internal static class PageFiles
{
    private const string Prefix = "page/";

    /// <summary>Only our own files, nothing inline, no markup made from text.</summary>
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action "
        + "'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var assembly = typeof(PageFiles).Assembly;
        foreach (var name in assembly.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            var (content, type) = (Read(assembly.GetManifestResourceStream(name)!), TypeOf(name));
            var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(content)[..8])}\"");
            var path = name == Prefix + "index.html" ? "/" : "/" + name;
            routes
                .MapGet(
                    path,
                    (HttpContext http) =>
                    {
                        http.Response.Headers.ContentSecurityPolicy = Policy;
                        http.Response.Headers.CacheControl = "no-cache";
                        return Results.Bytes(content, type, entityTag: tag);
                    }
                )
                .ExcludeFromDescription();
        }
    }

    private static byte[] Read(Stream stream)
    {
        using var bytes = new MemoryStream();
        using (stream)
            stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    private static string TypeOf(string name) =>
        Path.GetExtension(name) switch
        {
            ".html" => "text/html; charset=utf-8",
            ".css" => "text/css; charset=utf-8",
            ".js" => "text/javascript; charset=utf-8",
            ".svg" => "image/svg+xml",
            var other => throw new InvalidOperationException($"The page has a file of unknown kind: {other}."),
        };
}
