using System.Text;
using Microsoft.AspNetCore.Http;

namespace Cdc.Tests.Support.Odoo.Http;

/// <summary>What a client sent, read whole: the same request can be served again.</summary>
/// <param name="Key">Of the Authorization header; null: there is none.</param>
/// <param name="Database">Of X-Odoo-Database.</param>
internal sealed record OdooRequest(string Method, string Path, string? ContentType, string? Key, string? Database, string Body)
{
    private const string Scheme = "bearer ";

    public static async Task<OdooRequest> ReadAsync(HttpRequest request, CancellationToken ct)
    {
        using var reader = new StreamReader(request.Body, Encoding.UTF8);
        var body = await reader.ReadToEndAsync(ct);
        string? authorization = request.Headers.Authorization;
        string? database = request.Headers["X-Odoo-Database"];
        return new OdooRequest(
            request.Method,
            request.Path.Value ?? "/",
            request.ContentType?.Split(';')[0].Trim(),
            authorization?.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) == true ? authorization[Scheme.Length..].Trim() : null,
            database,
            body
        );
    }
}
