using System.Diagnostics.Metrics;
using Cdc.Api.Balances;
using Cdc.Api.Operations;
using Cdc.Api.Page;
using Cdc.Api.Replicas;
using Cdc.Core.Operations;

namespace Cdc.Api.Metrics;

/// <summary>
/// All instruments of this process, on one meter. Names and units are OpenTelemetry's; <see cref="PrometheusText"/> makes Prometheus names
/// of them. No ids of cards, codes or keys in tags.
/// </summary>
internal sealed class ApiMeter : IDisposable
{
    public const string Name = "Cdc";

    private readonly Meter _meter = new(Name);
    private readonly StatusCache _status;
    private readonly ApiParts _parts;

    public ApiMeter(ApiParts parts, StatusCache status, CardCache cache, ReplicaReads replicas, LiveBoard board, ReconcileStanding standing)
    {
        (_parts, _status) = (parts, status);
        _meter.CreateObservableGauge(
            "cdc.build.info",
            () => new Measurement<long>(1, new KeyValuePair<string, object?>("version", parts.Version)),
            null,
            "Always 1; the version is a label."
        );
        _meter.CreateObservableCounter("cdc.cache.hits", () => cache.Hits, "{request}", "Cards answered from memory.");
        _meter.CreateObservableCounter("cdc.cache.misses", () => cache.Misses, "{request}", "Cards that were not in memory.");
        _meter.CreateObservableGauge("cdc.cache.size", () => cache.Bytes, "By", "Memory of cards that are kept, estimated.");
        _meter.CreateObservableGauge("cdc.page.viewers", () => (long)board.Viewers, "{viewer}", "Open connections of the page.");
        if (replicas.AreThere)
            _meter.CreateObservableCounter(
                "cdc.replica.reads",
                () => ByResult(replicas.Counts),
                "{read}",
                "Reads of the engine's replicas; those that they did not answer went to the engine itself."
            );
        Lag();
        Entities();
        standing.AddTo(_meter);
    }

    /// <summary>For the instruments that others add.</summary>
    public Meter Meter => _meter;

    public bool Owns(Instrument instrument) => ReferenceEquals(instrument.Meter, _meter);

    public void Dispose() => _meter.Dispose();

    private void Lag()
    {
        _meter.CreateObservableGauge(
            "cdc.lag",
            () => PerPartition(p => p.Seconds),
            "s",
            "How far the engine is behind the source, for each topic and partition."
        );
        _meter.CreateObservableGauge(
            "cdc.lag.messages",
            () => PerPartition(p => p.Messages),
            "{event}",
            "Messages captured and not applied, for each topic and partition."
        );
        _meter.CreateObservableGauge("cdc.lag.size", () => Of(r => r.BytesBehind), "By", "Source WAL that is not applied.");
        _meter.CreateObservableGauge(
            "cdc.slot.retained",
            () => Of(r => r.Source?.Slot?.RetainedBytes),
            "By",
            "WAL that the slot keeps on the source."
        );
        _meter.CreateObservableGauge(
            "cdc.slot.safe.wal",
            () => Of(r => r.Source?.Slot?.SafeWalSize),
            "By",
            "WAL that may still be written before the slot is lost."
        );
        _meter.CreateObservableGauge("cdc.slot.wal.status", WalStatus, null, "1 for the slot's wal_status.");
        _meter.CreateObservableGauge(
            "cdc.source.oldest.transaction",
            () => Of(r => r.Source?.OldestTransactionSeconds),
            "s",
            "Age of the oldest open transaction of the source."
        );
        _meter.CreateObservableGauge("cdc.up", Up, null, "1 if the server could be read.");
        _meter.CreateObservableGauge("cdc.state", State, null, "1 for the pipeline's state.");
        _meter.CreateObservableGauge("cdc.gap", Gap, null, "1 while a break in continuity is declared, with its kind.");
    }

    private void Entities()
    {
        _meter.CreateObservableGauge("cdc.quarantine.rows", () => PerEntity(e => e.Quarantine), "{row}", "Rows in quarantine.");
        _meter.CreateObservableGauge("cdc.holes.rows", () => PerEntity(e => e.Holes), "{row}", "Rows of which a column is not known.");
        _meter.CreateObservableGauge(
            "cdc.parentless.rows",
            () => PerEntity(e => e.WaitingForParent),
            "{row}",
            "Rows that wait for their parent."
        );
        _meter.CreateObservableGauge(
            "cdc.table.streaming",
            () => PerEntity(e => e.State == "streaming" ? 1 : 0),
            null,
            "1 if the table is followed, 0 while it is loading, stopped or held."
        );
        _meter.CreateObservableGauge(
            "cdc.deletes.held",
            () => PerEntity(e => e.HeldDeletes ?? 0),
            "{row}",
            "Rows that were not there when their table was read again, and that a person must allow to be deleted."
        );
        _meter.CreateObservableGauge(
            "cdc.table.stopped",
            () => PerEntity(e => e.State == "stopped" ? 1 : 0),
            null,
            "1 if the table's changes are not applied until it is repaired."
        );
        _meter.CreateObservableGauge(
            "cdc.table.stopped.age",
            StoppedAges,
            "s",
            "For how long a stopped table's changes have not been applied. Its topic has no lag meanwhile."
        );
    }

    private static IEnumerable<Measurement<long>> ByResult((long Answered, long Behind, long Failed) reads) =>
        new[] { ("answered", reads.Answered), ("behind", reads.Behind), ("failed", reads.Failed) }.Select(r => new Measurement<long>(
            r.Item2,
            new KeyValuePair<string, object?>("result", r.Item1)
        ));

    private IEnumerable<Measurement<double>> Of(Func<StatusReport, double?> value) =>
        _status.Last is { } report && value(report) is { } known ? [new Measurement<double>(known)] : [];

    private IEnumerable<Measurement<double>> PerPartition(Func<PartitionLag, double?> value)
    {
        if (_status.Last is not { } report)
            yield break;
        foreach (var partition in LagView.Of(report, _parts).Partitions)
            if (value(partition) is { } known)
                yield return new(known, new("topic", partition.Topic), new("partition", partition.Partition));
    }

    private IEnumerable<Measurement<long>> PerEntity(Func<EntityStatus, long?> value)
    {
        foreach (var entity in _status.Last?.Entities ?? [])
            if (value(entity) is { } known)
                yield return new(known, new KeyValuePair<string, object?>("entity", entity.Entity));
    }

    private IEnumerable<Measurement<double>> StoppedAges() =>
        (_status.Last?.Entities ?? [])
            .Where(e => e.StoppedSeconds is not null)
            .Select(e => new Measurement<double>(e.StoppedSeconds!.Value, new KeyValuePair<string, object?>("entity", e.Entity)));

    private IEnumerable<Measurement<long>> WalStatus() =>
        _status.Last?.Source?.Slot?.WalStatus is { } now
            ? ((string[])["reserved", "extended", "unreserved", "lost"]).Select(s => new Measurement<long>(
                s == now ? 1 : 0,
                new KeyValuePair<string, object?>("status", s)
            ))
            : [];

    private IEnumerable<Measurement<long>> State() =>
        _status.Last is { } report
            ? ((string[])["new", "creating", "streaming", "paused", "gap", "unknown"]).Select(s => new Measurement<long>(
                s == report.State ? 1 : 0,
                new KeyValuePair<string, object?>("state", s)
            ))
            : [];

    /// <summary>The kind of the last report that could say: a gap does not end because the engine is away.</summary>
    private IEnumerable<Measurement<long>> Gap() =>
        _status.Gap is { } gap ? [new(gap.Length > 0 ? 1 : 0, new KeyValuePair<string, object?>("kind", gap))] : [];

    private IEnumerable<Measurement<long>> Up()
    {
        if (_status.Last is not { } report)
            yield break;
        foreach (
            var (name, server) in ((string, ServerStatus?)[])
                [("engine", report.EngineServer), ("source", report.SourceServer), ("kafka", report.LogServer)]
        )
            // The source that is let go of is neither up nor down.
            if (server is not null && !(name == "source" && report.IsPaused))
                yield return new(server.Readable ? 1 : 0, new KeyValuePair<string, object?>("server", name));
    }
}
