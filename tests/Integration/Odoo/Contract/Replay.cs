using System.Text.RegularExpressions;
using Cdc.Tests.Support.Odoo.Python;
using Xunit;

namespace Cdc.Tests.Integration.Odoo.Contract;

/// <summary>Sends recorded requests to the Odoo of a test, with its ids in place of the recorded ones, and compares the answers.</summary>
internal sealed partial class Replay(OdooWorld world, IReadOnlyDictionary<string, RecordedExchange> recorded)
{
    /// <summary>Whose id stands in a request that names one.</summary>
    public long Card { get; set; }

    public long Group { get; set; } = world.Group;

    /// <summary>What else is called otherwise: recorded text, and what it is here.</summary>
    public List<(string Recorded, string Here)> Names { get; } = [];

    public bool Has(string title) => recorded.ContainsKey(title);

    /// <param name="ids">Of a method that is called on records: in place of the recorded ones.</param>
    public async Task SameAsync(string title, params long[] ids)
    {
        var exchange = recorded[title];
        var reply = await world.Admin.SendAsync(exchange.Method, exchange.Path, Request(exchange, ids), OdooWorld.Ct);
        var answer = Names.Aggregate(reply.Text, (text, n) => text.Replace(n.Here, n.Recorded, StringComparison.Ordinal));
        // The body that was recorded first did not say it.
        if (!exchange.Answer.Contains("\"active\"", StringComparison.Ordinal))
            answer = Active().Replace(answer, "");
        Assert.Equal($"{title}: {exchange.Status} {Canonical.Of(exchange.Answer)}", $"{title}: {reply.Status} {Canonical.Of(answer)}");
    }

    private string Request(RecordedExchange exchange, long[] ids)
    {
        var body = Names.Aggregate(exchange.Body, (text, n) => text.Replace(n.Recorded, n.Here, StringComparison.Ordinal));
        var script = PyJson.Write(OdooWorld.Body)[1..^1];
        body = body.Replace("<seq-action.py>", script, StringComparison.Ordinal);
        body = Caller().Replace(body, $"\"args\": [\"{world.Target.Database}\", {world.Admin.Uid}, \"{world.Admin.Secret}\"");
        body = Program().Replace(body, $"\"program_id\": {world.Program}");
        body = Partner().Replace(body, $"\"partner_id\": {world.Partner}");
        body = ModelOf().Replace(body, $"\"model_id\": {world.CardModel}");
        body = GroupOf().Replace(body, $"[[6, 0, [{Group}]]]");
        body = CardOf().Replace(body, $"\"card\": {Card}");
        var list = string.Join(", ", ids);
        return ids.Length == 0 ? body : Ids().Replace(body, m => m.Groups[1].Value + list + m.Groups[2].Value, 1);
    }

    [GeneratedRegex("\"active\": (?:true|false), ")]
    private static partial Regex Active();

    [GeneratedRegex("\"args\": \\[\"[^\"]*\", \\d+, \"[^\"]*\"")]
    private static partial Regex Caller();

    [GeneratedRegex("\"program_id\": \\d+")]
    private static partial Regex Program();

    [GeneratedRegex("\"partner_id\": \\d+")]
    private static partial Regex Partner();

    [GeneratedRegex("\"model_id\": \\d+")]
    private static partial Regex ModelOf();

    [GeneratedRegex(@"\[\[6, 0, \[\d+\]\]\]")]
    private static partial Regex GroupOf();

    /// <summary>Those that no Odoo has stay.</summary>
    [GeneratedRegex("\"card\": (?!0\\b|99999999)\\d+")]
    private static partial Regex CardOf();

    /// <summary>JSON-2 has a member, JSON-RPC the first argument behind the method.</summary>
    [GeneratedRegex("(\"ids\": \\[)[\\d, ]+(\\])|(?<=\"(?:run|unlink|write|read)\", \\[)(?<1>\\[)[\\d, ]+(?<2>\\])")]
    private static partial Regex Ids();
}
