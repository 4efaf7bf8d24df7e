using System.Globalization;
using System.Net.Http.Json;
using Cdc.Api;
using Cdc.Core.Failures;
using Cdc.Log.Registry;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>A schema registry that is away, or refuses, under a running pipeline.</summary>
public sealed class KafkaRegistryTests(TestServers servers, TestKafka kafka)
{
    private const string Away = "schema registry";
    private const string Widened =
        "ALTER TABLE loyalty_card ALTER COLUMN partner_id TYPE bigint; UPDATE loyalty_card SET points = points + 1";

    private readonly RegistryOptions _registry = new()
    {
        Url = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort.Next()}"),
    };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_registry_that_is_down_at_the_start_is_waited_for()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        bed.UseAvro(_registry);
        await bed.Bed.FillAsync(Ct);
        bed.StartBoth();
        await bed.SaysAsync(Away, Ct);
        await using var registry = await StartRegistryAsync(bed);
        await bed.Bed.EqualByItselfAsync(Ct);
    }

    [Fact]
    public async Task A_registry_that_goes_down_later_stops_only_what_needs_a_schema_not_seen_before()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        bed.UseAvro(_registry);
        await using var registry = await StartRegistryAsync(bed);
        await bed.StreamAsync(Ct);
        await registry.StopAsync();
        await bed.UpdateCardsAsync(3, Ct);
        await bed.AssertUpdatedAsync(3, Ct);
        Assert.DoesNotContain(bed.Bed.Log.Lines, line => line.Contains(Away, StringComparison.Ordinal));
        await bed.Bed.Source.ExecuteAsync(Widened, Ct);
        await bed.SaysAsync(Away, Ct);
        await using var again = await StartRegistryAsync(bed);
        await bed.Bed.EqualByItselfAsync(Ct);
        await bed.AssertUpdatedAsync(4, Ct);
    }

    [Fact]
    public async Task A_worker_that_has_seen_no_schema_waits_for_the_registry_and_capture_goes_on()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        bed.UseAvro(_registry);
        await using var registry = await StartRegistryAsync(bed);
        var (capture, apply) = await bed.StreamApartAsync(Ct);
        await apply.StopAsync();
        await registry.StopAsync();
        await bed.UpdateCardsAsync(3, Ct);
        await bed.ConfirmedAsync(Ct);
        bed.UseAvro(_registry);
        bed.StartApply();
        await bed.SaysAsync(Away, Ct);
        await using var again = await StartRegistryAsync(bed);
        await bed.AssertUpdatedAsync(3, Ct);
        Assert.False(capture.Completion.IsCompleted);
    }

    [Fact]
    public async Task The_built_in_registry_that_is_away_with_the_engine_stops_only_what_needs_a_schema_not_seen_before()
    {
        await using var engine = await PgCluster.StartAsync(new PgClusterOptions { Name = "kafka-registry" }, Ct);
        await using var bed = await KafkaPipelineBed.WithTopicsAsync(
            new KafkaPipelineBed(
                await PipelineBed.CreateAsync(await servers.Source.ConnectionStringAsync(), engine.ConnectionString("postgres"), Ct),
                await kafka.OptionsAsync()
            ),
            Ct
        );
        bed.UseAvro(new RegistryOptions());
        await bed.StreamAsync(Ct);
        await engine.KillAsync(Ct);
        await bed.UpdateCardsAsync(3, Ct);
        await bed.ConfirmedAsync(Ct);
        await bed.Bed.Source.ExecuteAsync(Widened, Ct);
        await bed.SaysAsync("which keeps the schema registry", Ct);
        await engine.StartAgainAsync(Ct);
        // Our own connections have gone with the server.
        bed.Bed.Engine.DataSource.Clear();
        await bed.Bed.EqualByItselfAsync(Ct);
        await bed.AssertUpdatedAsync(4, Ct);
    }

    [Fact]
    public async Task A_schema_that_cannot_read_what_was_written_is_refused_until_the_operator_allows_it()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        bed.UseAvro(_registry);
        await using var registry = await StartRegistryAsync(bed);
        var ends = await bed.StreamAsync(Ct);
        await bed.Bed.Source.ExecuteAsync(
            "ALTER TABLE loyalty_card ALTER COLUMN points TYPE real; UPDATE loyalty_card SET points = points + 1",
            Ct
        );
        var refused = await Assert.ThrowsAnyAsync<CdcException>(() => ends.Completion.WaitAsync(TimeSpan.FromSeconds(60), Ct));
        Assert.Equal(FailureKind.Preflight, refused.Kind);
        Assert.Contains("points", refused.Message, StringComparison.Ordinal);
        Assert.Contains("NONE", refused.Remedy, StringComparison.Ordinal);
        Assert.Equal("0", Assert.Single(await bed.Bed.Engine.RowsAsync("SELECT DISTINCT sync_version FROM loyalty_cards", Ct)));
        var subject = bed.Codec.TopicOf(bed.Bed.Entity("card")) + "-value";
        using var allowed = await registry.Client.PutAsJsonAsync($"config/{subject}", new { compatibility = "NONE" }, Ct);
        allowed.EnsureSuccessStatusCode();
        bed.StartBoth();
        await bed.Bed.EqualByItselfAsync(Ct);
        await bed.AssertUpdatedAsync(1, Ct);
    }

    /// <summary>Over HTTP at the one address, and it knows what it knew before.</summary>
    private Task<ApiBed> StartRegistryAsync(KafkaPipelineBed bed) =>
        ApiBed.StartAsync(bed.Bed, Ct, new ApiOptions { Urls = _registry.Url });
}
