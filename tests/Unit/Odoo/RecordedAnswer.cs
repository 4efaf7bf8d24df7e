using System.Text.Json;
using System.Text.Json.Nodes;
using Cdc.Odoo.Sequence;
using Xunit;

namespace Cdc.Tests.Unit.Odoo;

/// <summary>One call of a real Odoo, and what it answered: <c>recorded/*.txt</c>.</summary>
internal sealed record RecordedAnswer(string Request, string Body, int Status, string ContentType, string Text)
{
    private const string CodeMark = "<seq-action.py>";

    public static RecordedAnswer Json2(string name) => Find("json2.txt", name);

    public static RecordedAnswer JsonRpc(string name) => Find("jsonrpc.txt", name);

    /// <summary>The named arguments that were sent (JSON-2).</summary>
    public JsonObject Arguments => JsonNode.Parse(Body.Replace("NaN", "null", StringComparison.Ordinal))!.AsObject();

    /// <summary>The arguments of execute_kw behind the key: positional, named (JSON-RPC).</summary>
    public (JsonArray Placed, JsonObject Named) ExecuteKw
    {
        get
        {
            var args = JsonNode.Parse(Body)!["params"]!["args"]!.AsArray();
            return (args[5]!.AsArray(), args.Count > 6 ? args[6]!.AsObject() : []);
        }
    }

    private static RecordedAnswer Find(string file, string name)
    {
        var lines = File.ReadAllLines(SourceTree.PathOf($"tests/Unit/Odoo/recorded/{file}"));
        var at = Array.IndexOf(lines, $"### {name}");
        Assert.True(at > 0, $"{file} has no \"{name}\".");
        var status = lines[at + 3].Split(' ', 2);
        return new(lines[at + 1], lines[at + 2], int.Parse(status[0]), status[1], Completed(lines[at + 4]));
    }

    /// <summary>Of an error in the action Odoo's message holds the whole text of it; the record ends there.</summary>
    private static string Completed(string text)
    {
        if (!text.EndsWith(CodeMark, StringComparison.Ordinal))
            return text;
        var code = JsonSerializer.Serialize(SequenceNames.Code)[1..^1];
        var ends = text.Contains("\"jsonrpc\"", StringComparison.Ordinal) ? "}}" : "";
        return text.Replace(CodeMark, code, StringComparison.Ordinal) + "\", \"arguments\": [], \"context\": {}, \"debug\": \"…\"}" + ends;
    }
}
