using System.Diagnostics;
using Cdc.Workload;

namespace Cdc.Bench.Measure;

/// <summary>
/// PostgreSQL's own logical replication: a subscription to the two tables, with the indexes that the engine's tables have.
/// </summary>
internal sealed class NativeReplica(BenchServers servers, OdooSource source, string options) : IReplica
{
    private const string DatabaseName = "native";
    private const string Subscription = "bench_native";

    // The primary keys stay; the engine's tables have these others, and room on the pages of cards.
    private const string EngineIndexes = """
        ALTER TABLE loyalty_card DROP CONSTRAINT loyalty_card_card_code_unique;
        DROP INDEX loyalty_card__program_id_index, loyalty_point_history__loyalty_card_id_index, loyalty_point_history__point_move_id_index;
        CREATE INDEX loyalty_card_code ON loyalty_card (code);
        CREATE INDEX loyalty_point_history_card_time ON loyalty_point_history (loyalty_card_id, transaction_time DESC);
        ALTER TABLE loyalty_card SET (fillfactor = 85);
        """;

    private bool _exists;

    public string Name => "native";
    public string Slot => Subscription;
    public BenchDatabase Target { get; } = servers.EngineDatabase(DatabaseName);
    public string CardTable => OdooSource.CardTable;
    public string HistoryTable => OdooSource.HistoryTable;
    public TimeSpan ProgramCpu => TimeSpan.Zero;

    public long KeyOf(int history) => history;

    public string? HasReachedSql(string lsn) => null;

    public async Task<LoadTimes> LoadAsync(CancellationToken ct)
    {
        await RemoveAsync(ct);
        await CreateTablesAsync(ct);
        await using var states = await Probe.OpenAsync(
            Target,
            "SELECT coalesce(string_agg(srsubstate::text, ''), '') FROM pg_subscription_rel",
            ct
        );
        var asked = Stopwatch.GetTimestamp();
        await SubscribeAsync(ct);
        var began = await states.UntilAsync<string>(s => s.Any(state => state != 'i'), ThrowIfEnded, ct);
        // f: copied and committed. What is between it and r is waiting, and is not counted against it.
        var ended = await states.UntilAsync<string>(
            s => s.Length == 2 && s.All(state => "fsr".Contains(state, StringComparison.Ordinal)),
            ThrowIfEnded,
            ct
        );
        await states.UntilAsync<string>(s => s == "rr", ThrowIfEnded, ct);
        return new LoadTimes(Stopwatch.GetElapsedTime(asked, began), Stopwatch.GetElapsedTime(began, ended));
    }

    public Task StartAsync(CancellationToken ct) => Target.ExecuteAsync(ct, $"ALTER SUBSCRIPTION {Subscription} ENABLE");

    public async Task StopAsync(CancellationToken ct)
    {
        await Target.ExecuteAsync(ct, $"ALTER SUBSCRIPTION {Subscription} DISABLE");
        await source.UntilSlotAsync(Slot, active: false, ThrowIfEnded, ct);
    }

    /// <summary>Its workers belong to the server, which starts them again.</summary>
    public void ThrowIfEnded() { }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task RemoveAsync(CancellationToken ct)
    {
        if (_exists)
            await Target.ExecuteAsync(ct, $"DROP SUBSCRIPTION {Subscription}");
        await servers.EngineAdmin.ExecuteAsync(ct, $"DROP DATABASE IF EXISTS {DatabaseName} WITH (FORCE)");
        _exists = false;
    }

    private async Task CreateTablesAsync(CancellationToken ct)
    {
        await servers.EngineAdmin.ExecuteAsync(ct, $"CREATE DATABASE {DatabaseName} TEMPLATE template0");
        await Target.ExecuteAsync(ct, [OdooSchema.Sql, EngineIndexes, .. source.HistoryKey]);
        await source.Database.ExecuteAsync(
            ct,
            $"DROP PUBLICATION IF EXISTS {Subscription}",
            $"CREATE PUBLICATION {Subscription} FOR TABLE {CardTable}, {HistoryTable}"
        );
        await servers.EngineAdmin.ExecuteAsync(ct, "CHECKPOINT");
    }

    private async Task SubscribeAsync(CancellationToken ct)
    {
        var given = options.Length > 0 ? $" WITH ({options})" : "";
        await Target.ExecuteAsync(
            ct,
            $"CREATE SUBSCRIPTION {Subscription} CONNECTION 'host=127.0.0.1 port={servers.SourcePort} dbname=odoo user=postgres' "
                + $"PUBLICATION {Subscription}{given}"
        );
        _exists = true;
    }
}
