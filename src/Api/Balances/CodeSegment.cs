using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Cdc.Api.Balances;

/// <summary>A code as it stands in the path. The server leaves %2F as it is, so that a code with a slash must be decoded here.</summary>
internal static class CodeSegment
{
    public static string Of(string code, HttpContext http)
    {
        if (!code.Contains("%2F", StringComparison.OrdinalIgnoreCase))
            return code;
        var path = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?', 2)[0].Split('/');
        var cards = Array.FindIndex(path, segment => segment.Equals("cards", StringComparison.OrdinalIgnoreCase));
        return cards >= 0 && cards + 1 < path.Length ? Uri.UnescapeDataString(path[cards + 1]) : code;
    }
}
