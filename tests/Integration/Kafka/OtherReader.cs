using System.Text.Json.Nodes;
using Cdc.Core.Entities;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.TopicReader;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>Holds what a reader that shares no code with ours makes of the topics (tests/TopicReader) against Odoo.</summary>
internal static class OtherReader
{
    /// <summary>It met nothing that it must not meet, and ends with Odoo's rows. Only without writers, and when no end of a key is owed.</summary>
    /// <param name="api">Serves the registry.</param>
    /// <returns>By entity, what it has read.</returns>
    public static async Task<IReadOnlyDictionary<string, TopicView>> AssertReadsOdooAsync(
        this KafkaPipelineBed bed,
        ApiBed api,
        CancellationToken ct
    )
    {
        var views = new Dictionary<string, TopicView>();
        foreach (var entity in bed.Bed.Entities.All)
        {
            var view = views[entity.Name] = await bed.ReadAsync(api, entity, ct);
            Assert.Empty(view.Wrong);
            await AssertRowsAsync(bed, entity, view, ct);
        }
        return views;
    }

    public static Task<TopicView> ReadAsync(this KafkaPipelineBed bed, ApiBed api, EntityDeclaration entity, CancellationToken ct) =>
        new TopicReading(
            new Dictionary<string, string>(bed.Kafka.Client) { ["bootstrap.servers"] = bed.Kafka.BootstrapServers },
            api.Address
        ).ReadAsync(bed.Codec.TopicOf(entity), ct);

    /// <summary>Nothing that was deleted in the engine has still to be said in the topics.</summary>
    public static Task NothingIsOwedAsync(this KafkaPipelineBed bed, CancellationToken ct) =>
        Eventually.True(
            "no end of a key is owed to the topics",
            async () => !await bed.Bed.Engine.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM cdc.owed_deletes)", ct),
            async () => string.Join("; ", await bed.Bed.Engine.RowsAsync("SELECT entity, key FROM cdc.owed_deletes LIMIT 20", ct)),
            ct: ct
        );

    private static async Task AssertRowsAsync(KafkaPipelineBed bed, EntityDeclaration entity, TopicView view, CancellationToken ct)
    {
        var missing = view.Rows.Keys.ToHashSet();
        var columns = entity.SourceColumns.Select(c =>
            $"'{c.Name}', {(c.Type == SourceType.Timestamp ? $"(extract(epoch FROM \"{c.Name}\") * 1000000)::bigint" : $"\"{c.Name}\"")}"
        );
        await using var command = bed.Bed.Source.DataSource.CreateCommand(
            $"SELECT {entity.SourceKey.Number()}::bigint, json_build_object({string.Join(", ", columns)})::text FROM {entity.SourceName}"
        );
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
        {
            var key = row.GetInt64(0);
            Assert.True(view.Rows.TryGetValue(key, out var read), $"{entity.Name} {key} is in Odoo, and not in the topic");
            missing.Remove(key);
            // Both from text: numbers are compared as numbers.
            var (ours, theirs) = (JsonNode.Parse(row.GetString(1)), JsonNode.Parse(read.ToJsonString()));
            Assert.True(JsonNode.DeepEquals(ours, theirs), $"{entity.Name} {key}: {ours} in Odoo, {theirs} in the topic");
        }
        Assert.True(missing.Count == 0, $"{entity.Name} {string.Join(' ', missing.Order().Take(20))}: in the topic, and not in Odoo");
    }
}
