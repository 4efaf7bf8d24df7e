using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Cdc.Api.Schemas;

/// <summary>Errors in the registry's protocol. Its clients read nothing else: for another body they report "null; error code: 0".</summary>
internal static class RegistryErrors
{
    private static readonly PathString[] Roots =
    [
        "/subjects",
        "/schemas",
        "/compatibility",
        "/config",
        "/mode",
        "/contexts",
        "/associations",
        "/v1/metadata",
        "/ids",
        "/apis/registry",
    ];

    /// <summary>Whether clients of this path use the registry's protocol.</summary>
    public static bool Owns(PathString path) => Roots.Any(root => path.StartsWithSegments(root));

    /// <param name="code">HTTP's status, or the protocol's own number, which begins with it.</param>
    public static JsonObject Body(int code, string message) => new() { ["error_code"] = code, ["message"] = message };
}
