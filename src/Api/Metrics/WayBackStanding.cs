using System.Diagnostics.Metrics;
using Cdc.Api.Engine;
using Cdc.Core.Postgres;
using Cdc.Engine.Tables;
using Npgsql;

namespace Cdc.Api.Metrics;

/// <summary>How the way back stands, as recorded in the engine by any process: own changes, conflicts, processes that send.</summary>
internal sealed class WayBackStanding : IDisposable
{
    /// <summary>One that was killed leaves its row: nobody who lives is silent for a minute.</summary>
    private const string ProcessesSql =
        "SELECT k, (SELECT count(*) FROM cdc.reverse_workers w WHERE w.state = k AND w.seen_at > clock_timestamp() - interval '1 minute') "
        + "FROM unnest(ARRAY['sending', 'waiting', 'stopped']) k";

    private readonly KeptReading<Standing> _kept;

    public WayBackStanding(EngineReads engine, ApiOptions options, TimeProvider time, ApiMeter all)
    {
        _kept = new KeptReading<Standing>(engine, ReadAsync, options.Timeout, time);
        var meter = all.Meter;
        meter.CreateObservableGauge(
            "cdc.reverse.changes",
            () =>
                Labelled(
                    "state",
                    _kept.Last is { Waiting: var w } ? [("waiting", w.Unsent), ("answered", w.Answered), ("refused", w.Refused)] : null
                ),
            "{change}",
            "The engine's own changes that Odoo has not shown yet, by what became of them."
        );
        meter.CreateObservableGauge(
            "cdc.reverse.age",
            () => Of(s => s.Waiting.OldestSeconds ?? 0),
            "s",
            "Of the oldest own change that Odoo has not shown yet."
        );
        meter.CreateObservableGauge(
            "cdc.reverse.cards.stopped",
            () => Of(s => s.Waiting.StoppedCards),
            "{card}",
            "Cards at a change that Odoo refused: what is behind it waits."
        );
        meter.CreateObservableGauge(
            "cdc.reverse.conflicts",
            () => Labelled("kind", _kept.Last?.Conflicts),
            "{conflict}",
            "Changes that Odoo made to what the engine owns, and that nobody has settled."
        );
        meter.CreateObservableGauge(
            "cdc.reverse.processes",
            () => Labelled("state", _kept.Last?.Processes),
            "{process}",
            "Processes that send own changes to Odoo."
        );
    }

    /// <summary>Reads it again, but not more often than it changes.</summary>
    public Task ReadAsync(CancellationToken ct) => _kept.ReadAsync(ct);

    public void Dispose() => _kept.Dispose();

    private IEnumerable<Measurement<double>> Of(Func<Standing, double> value) =>
        _kept.Last is { } last ? [new Measurement<double>(value(last))] : [];

    private static IEnumerable<Measurement<long>> Labelled(string label, IReadOnlyList<(string Value, long Count)>? counts) =>
        counts?.Select(c => new Measurement<long>(c.Count, new KeyValuePair<string, object?>(label, c.Value))) ?? [];

    private static async Task<Standing> ReadAsync(NpgsqlConnection connection, CancellationToken ct) =>
        new(
            await SyncLogTable.WaitingAsync(connection, ct),
            await ConflictTable.OpenAsync(connection, ct),
            await connection.Statement(ProcessesSql).RowsAsync(Count, ct)
        );

    private static (string Value, long Count) Count(NpgsqlDataReader row) => (row.GetString(0), row.GetInt64(1));

    private sealed record Standing(
        WaitingChanges Waiting,
        IReadOnlyList<(string Value, long Count)> Conflicts,
        IReadOnlyList<(string Value, long Count)> Processes
    );
}
