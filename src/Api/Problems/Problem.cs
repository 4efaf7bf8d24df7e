using System.Text.Json.Nodes;

namespace Cdc.Api.Problems;

/// <summary>An RFC 9457 problem. <paramref name="Word"/> makes its <c>type</c>, which is never renamed (docs/api.md lists them).</summary>
/// <param name="RetryAfter">Seconds after which the same request may succeed; null: it will not by itself.</param>
/// <param name="More">Further members.</param>
internal sealed record Problem(int Status, string Word, string Title, string Detail, int? RetryAfter = null, JsonObject? More = null)
{
    public string Type => "urn:cdc:problem:" + Word;

    public JsonObject ToJson()
    {
        JsonObject json = new()
        {
            ["type"] = Type,
            ["title"] = Title,
            ["status"] = Status,
            ["detail"] = Detail,
        };
        foreach (var (name, value) in More ?? [])
            json[name] = value?.DeepClone();
        return json;
    }
}
