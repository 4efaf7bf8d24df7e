using Cdc.Core.Failures;
using Cdc.Tests.Integration.Faults;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>Over Kafka capture goes on whatever the engine answers: Odoo's WAL does not pile up for what is to be repaired there.</summary>
public sealed class KafkaEngineRefusalTests(TestServers servers, TestKafka kafka)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_apply_ends_with_the_sql_of_what_is_gone_from_a_declared_table()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        var (capture, apply) = await bed.StreamApartAsync(Ct);
        await bed.Bed.Engine.ExecuteAsync("ALTER TABLE loyalty_cards DROP COLUMN partner_id", Ct);
        await bed.UpdateCardsAsync(20, Ct);
        var failure = await Assert.ThrowsAsync<FindingsException>(() => apply.Completion.WaitAsync(TimeSpan.FromMinutes(1), Ct));
        Assert.Equal(FailureKind.Preflight, failure.Kind);
        Assert.Contains("ADD COLUMN partner_id bigint", failure.Message, StringComparison.Ordinal);
        Assert.False(capture.Completion.IsCompleted);
    }

    [Theory]
    [InlineData("ALTER ROLE {role} NOLOGIN", "ALTER ROLE {role} LOGIN", "refuses the login")]
    [InlineData("ALTER ROLE {role} CONNECTION LIMIT 0", "ALTER ROLE {role} CONNECTION LIMIT -1", "no free connection")]
    [InlineData("ALTER ROLE {role} SET default_transaction_read_only = on", "ALTER ROLE {role} RESET ALL", "takes no writes now")]
    [InlineData("REVOKE USAGE ON SCHEMA cdc FROM {role}", "GRANT USAGE ON SCHEMA cdc TO {role}", "refused: permission denied")]
    [InlineData("ALTER TABLE cdc.source RENAME TO moved", "ALTER TABLE cdc.moved RENAME TO source", "has not the tables")]
    [InlineData("ALTER SCHEMA cdc RENAME TO moved", "ALTER SCHEMA moved RENAME TO cdc", "has not the tables")]
    public async Task Capture_goes_on_whatever_the_engine_answers(string trouble, string repair, string said)
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        var engine = bed.Bed.Engine;
        await using var role = await ReaderRole.CreateWriterAsync(engine);
        bed.Bed.EngineOptions = bed.Bed.EngineOptions with { ConnectionString = role.ConnectionString };
        var (capture, apply) = await bed.StreamApartAsync(Ct);
        await apply.StopAsync();
        await engine.ExecuteAsync(trouble.Replace("{role}", role.Name, StringComparison.Ordinal), Ct);
        await engine.ExecuteAsync($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role.Name}'", Ct);
        await bed.SaysAsync(said, Ct);
        await bed.UpdateCardsAsync(20, Ct);
        await bed.ConfirmedAsync(Ct);
        Assert.False(capture.Completion.IsCompleted);
        await engine.ExecuteAsync(repair.Replace("{role}", role.Name, StringComparison.Ordinal), Ct);
        bed.StartApply();
        await bed.AssertUpdatedAsync(20, Ct);
        Assert.False(capture.Completion.IsCompleted);
    }
}
