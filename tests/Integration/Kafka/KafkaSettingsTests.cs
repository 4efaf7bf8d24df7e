using Cdc.Core.Failures;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Processes;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>Settings that do not fit the pipeline there is: typed, and nothing of it is touched.</summary>
public sealed class KafkaSettingsTests(TestServers servers, TestKafka kafka)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_run_over_the_in_process_log_is_refused_where_the_engine_follows_its_source_over_kafka()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        var ends = await bed.StreamAsync(Ct);
        // The slot is confirmed beyond what the engine itself has written down; nobody holds it now.
        await ends.StopAsync();

        var (code, said) = await RunAsync(bed, "run", ("CDC__Log__Kind", "InProcess"));

        Assert.Equal((int)FailureKind.Configuration, code);
        Assert.Contains("CDC__Log__Kind=Kafka", said, StringComparison.Ordinal);
        Assert.Equal("streaming", Assert.Single(await bed.Bed.Engine.RowsAsync("SELECT state FROM cdc.source", Ct)));
    }

    [Theory]
    [InlineData("capture")]
    [InlineData("apply")]
    public async Task A_setting_that_librdkafka_does_not_have_is_named(string command)
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        var (code, said) = await RunAsync(bed, command, ("CDC__Kafka__Client__nonsense", "1"));
        Assert.Equal((int)FailureKind.Configuration, code);
        Assert.Contains("nonsense", said, StringComparison.Ordinal);
    }

    private static Task<(int Code, string Said)> RunAsync(KafkaPipelineBed bed, string command, (string Name, string Value) setting) =>
        CdcProcess.RunAsync([command], new Dictionary<string, string?>(bed.Environment()) { [setting.Name] = setting.Value }, Ct);
}
