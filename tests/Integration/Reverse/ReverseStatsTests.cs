using System.Text.Json;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Reverse;

/// <summary>/sync/stats counts both directions.</summary>
public sealed class ReverseStatsTests(TestServers servers)
{
    private const string Changes = """
        INSERT INTO cdc.sync_log (entity, id, card, number, action, status, answered_at, error, created_at) VALUES
            ('card', 1, 1, 10, 'update', 'synced', now(), NULL, now() - interval '1 day'),
            ('card', 1, 1, 11, 'update', 'pending', now(), NULL, now() - interval '20 minutes'),
            ('card', 1, 1, 12, 'update', 'pending', NULL, NULL, now()),
            ('card', 2, 2, 20, 'update', 'failed', NULL, 'given up', now() - interval '1 day'),
            ('card', 2, 2, 21, 'update', 'pending', NULL, 'refused', now()),
            ('card', 2, 2, 22, 'update', 'pending', NULL, NULL, now()),
            ('card', 3, 3, 31, 'update', 'pending', NULL, NULL, now())
        """;

    [Fact]
    public async Task What_waits_for_Odoo_is_counted_by_what_became_of_it()
    {
        await using var bed = await ReverseBed.CreateAsync(servers, cards: 3);
        await using var api = await ApiBed.StartAsync(bed.Bed, ReverseBed.Ct);
        Assert.Equal("0|0|0|", await StatsAsync(api));

        await bed.Bed.Engine.ExecuteAsync(Changes, ReverseBed.Ct);
        var stats = await StatsAsync(api);
        Assert.Equal("3|1|1", stats[..stats.LastIndexOf('|')]);
        Assert.InRange(double.Parse(stats[(stats.LastIndexOf('|') + 1)..], System.Globalization.CultureInfo.InvariantCulture), 1200, 3600);
    }

    private static async Task<string> StatsAsync(ApiBed api)
    {
        var reverse = (await api.GetAsync("/sync/stats", ReverseBed.Ct)).Json.GetProperty("reverse");
        return string.Join('|', ((string[])["pending", "answered", "failed", "oldestSeconds"]).Select(n => Text(reverse.GetProperty(n))));
    }

    private static string Text(JsonElement value) => value.ValueKind == JsonValueKind.Null ? "" : value.GetRawText();
}
