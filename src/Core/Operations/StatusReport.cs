using System.Text.Json;
using System.Text.Json.Serialization;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres.Values;
using Cdc.Core.Telemetry;

namespace Cdc.Core.Operations;

/// <summary>What <c>cdc status</c> knows. Its JSON form is documented in docs/commands.md: names are added, never changed.</summary>
public sealed record StatusReport
{
    public required DateTimeOffset At { get; init; }

    /// <summary>creating, streaming, paused (the source is let go of, see <see cref="EngineStatus.PausedUntil"/>), gap; new (no source followed yet); unknown (the engine cannot be read).</summary>
    public required string State { get; init; }

    [JsonIgnore]
    public bool IsPaused => Engine is { PausedUntil: not null };

    /// <summary>A process holds the slot. Null: the source cannot be read.</summary>
    public required bool? Running { get; init; }
    public required long? BytesBehind { get; init; }
    public required double? SecondsBehind { get; init; }
    public required ServerStatus EngineServer { get; init; }
    public required ServerStatus SourceServer { get; init; }

    /// <summary>The brokers of the Kafka log; null: the log is in-process.</summary>
    public ServerStatus? LogServer { get; init; }
    public required EngineStatus? Engine { get; init; }
    public required SourceStatus? Source { get; init; }

    /// <summary>Null: the log is in-process, or the brokers or the engine cannot be read.</summary>
    public LogStatus? Log { get; init; }

    /// <summary>
    /// The pipeline of the process that reports, or, where that has none, of the processes that have told the engine that they are up; null:
    /// none is up, or the engine cannot be read.
    /// </summary>
    public PipelineStatus? Pipeline { get; init; }

    /// <summary>The same report with that pipeline. A gap that could not be written into the engine is one all the same.</summary>
    public StatusReport With(PipelineStatus? pipeline) =>
        this with
        {
            Pipeline = pipeline,
            State = pipeline is { Gap.Length: > 0 } && State is not "unknown" ? "gap" : State,
        };

    /// <summary>
    /// The kind of the gap that is declared, in the engine or, before it could be written there, in this process; null: none is known.
    /// </summary>
    [JsonIgnore]
    public string? Gap => Engine is { State: "gap", GapKind: var kind } ? kind ?? "unknown" : Pipeline?.Gap;

    /// <summary>Alerts of the comparison that have fired and were not armed again; null: the engine cannot be read.</summary>
    public IReadOnlyList<FiredAlert>? Alerts => Engine?.Alerts;
    public IReadOnlyList<EntityStatus> Entities => Engine?.Entities ?? [];
    public IReadOnlyList<RequestStatus> Requests => Engine?.Requests ?? [];
}

/// <param name="State">working, retrying, waiting (a failure that passes by itself), stopped (a person is needed); of another process also
/// unknown: it is up, and our role may not see more.</param>
/// <param name="Kind">Of the failure, such as DeclaredGap; null while it works.</param>
/// <param name="Gap">The gap's kind, where it is one.</param>
/// <param name="Reason">What failed; null while it works.</param>
/// <param name="Remedy">What to do next.</param>
public sealed record PipelineStatus(string State, string? Kind, string? Gap, string? Reason, string? Remedy)
{
    /// <summary>Of this very process.</summary>
    /// <param name="standing">Of its worst worker; null: none has started.</param>
    public static PipelineStatus Of(WorkerStanding? standing) =>
        new(
            JsonNamingPolicy.CamelCase.ConvertName((standing?.State ?? RetryState.Working).ToString()),
            standing?.Failure?.Kind.ToString(),
            (standing?.Failure as DeclaredGapException)?.GapKind,
            standing?.Failure?.Message,
            standing?.Failure?.Remedy
        )
        {
            Since = standing?.Since,
        };

    /// <summary>The command of the process: run, capture, apply; null: it is this one, or is not known.</summary>
    public string? Process { get; init; }

    /// <summary>Since when it works, or does not.</summary>
    public DateTimeOffset? Since { get; init; }
}

/// <param name="Scope">An entity, or <c>all</c>.</param>
public sealed record FiredAlert(string Name, DateTimeOffset FiredAt, string? Scope, string? Message);

/// <param name="Name">Host, port and database.</param>
/// <param name="Error">Why it could not be read; null if it could.</param>
public sealed record ServerStatus(string Name, bool Readable, string? Error, string? Remedy);

/// <summary>The engine's own account. LSNs are in PostgreSQL's form.</summary>
public sealed record EngineStatus
{
    public required string State { get; init; }
    public required int? Generation { get; init; }
    public required long? Session { get; init; }
    public required string? SystemIdentifier { get; init; }
    public required string? GapKind { get; init; }
    public required string? GapDetail { get; init; }
    public required string? WrittenLsn { get; init; }
    public required string? ThroughLsn { get; init; }

    /// <summary>Commit time in the source of the last applied transaction.</summary>
    public required DateTimeOffset? LastCommitAt { get; init; }

    /// <summary>Everything committed in the source until then, by its clock, is applied; null: no heartbeat has arrived yet.</summary>
    public required DateTimeOffset? AsOf { get; init; }

    /// <summary>Until when the source is let go of ('cdc pause --release'); null: it is not.</summary>
    public DateTimeOffset? PausedUntil { get; init; }
    public string? PausedBy { get; init; }

    /// <summary>Seconds since the checkpoint moved, by the engine's clock.</summary>
    public required double? CheckpointAgeSeconds { get; init; }

    [JsonIgnore]
    public IReadOnlyList<EntityStatus> Entities { get; init; } = [];

    [JsonIgnore]
    public IReadOnlyList<RequestStatus> Requests { get; init; } = [];

    [JsonIgnore]
    public IReadOnlyList<FiredAlert> Alerts { get; init; } = [];

    /// <summary>Of the processes that are up; null: none is.</summary>
    [JsonIgnore]
    public PipelineStatus? Pipeline { get; init; }

    /// <summary>Over Kafka; null: the log is in-process.</summary>
    [JsonIgnore]
    public AppliedLog? Log { get; init; }
}

public sealed record SourceStatus
{
    public required string SystemIdentifier { get; init; }
    public required int Timeline { get; init; }
    public required string Database { get; init; }
    public required string InsertLsn { get; init; }
    public required string FlushLsn { get; init; }
    public required DateTimeOffset Now { get; init; }

    /// <summary>
    /// Age of the oldest open transaction, prepared ones included: it pins WAL and keeps snapshots waiting. Those of other users are
    /// visible only with pg_read_all_stats.
    /// </summary>
    public required double? OldestTransactionSeconds { get; init; }
    public required SlotStatus? Slot { get; init; }
}

/// <param name="WalStatus">reserved, extended, unreserved, lost.</param>
/// <param name="SafeWalSize">Bytes that may still be written before the slot is lost; null if max_slot_wal_keep_size is not set.</param>
/// <param name="RetainedBytes">WAL that the slot keeps; 0 for one that was given up.</param>
public sealed record SlotStatus(
    string Name,
    string? Plugin,
    string? Database,
    bool Active,
    int? ActivePid,
    string? WalStatus,
    long? SafeWalSize,
    long? RetainedBytes,
    string? RestartLsn,
    string? ConfirmedFlushLsn
)
{
    /// <summary>Why the server gave the slot up, where its version says so (17 and later): wal_removed, rows_removed,
    /// wal_level_insufficient, idle_timeout.</summary>
    public string? InvalidationReason { get; init; }

    /// <summary>For people: the status, and why.</summary>
    [JsonIgnore]
    public string WalText => (WalStatus ?? "-") + (InvalidationReason is null ? "" : $" ({InvalidationReason})");
}

public sealed record EntityStatus
{
    public required string Entity { get; init; }

    /// <summary>loading, streaming, stopped, held (so much was not there when it was read again that nothing is deleted before a person
    /// allows it); new (nothing known yet).</summary>
    public required string State { get; init; }
    public required string? Reason { get; init; }

    /// <summary>Since when its rows are as they were, by the engine's clock; null: it is not stopped.</summary>
    public DateTimeOffset? StoppedAt { get; init; }

    /// <summary>For how long by now.</summary>
    public double? StoppedSeconds { get; init; }

    /// <summary>Of a held table: rows that wait to be deleted.</summary>
    public long? HeldDeletes { get; init; }

    /// <summary>Of so many.</summary>
    public long? HeldOf { get; init; }

    /// <summary>
    /// A gap is declared: what Odoo changed since is in no row of it until the gap is accepted and everything was read again.
    /// </summary>
    public bool BehindGap { get; init; }

    /// <summary>
    /// Rows in the engine's table: by the server's statistics, counted where they know of none; null where that cannot be done now, because
    /// somebody has locked the table.
    /// </summary>
    public required long? Rows { get; init; }
    public required SnapshotStatus? Snapshot { get; init; }
    public required long Quarantine { get; init; }
    public required DateTimeOffset? OldestQuarantine { get; init; }

    /// <summary>Rows of which a column is not known; they are read again.</summary>
    public required long Holes { get; init; }
    public required DateTimeOffset? OldestHole { get; init; }

    /// <summary>Rows whose parent is in quarantine or is read again, and is not in the engine; null as with <see cref="Rows"/>.</summary>
    public required long? WaitingForParent { get; init; }
}

/// <param name="Percent">Of rows where their number is estimated, else of chunks.</param>
/// <param name="RowsPerSecond">Over the last minute; null when nothing was finished in it.</param>
public sealed record SnapshotStatus(
    bool Running,
    long ChunksDone,
    long ChunksTotal,
    long RowsDone,
    long? RowsTotal,
    double? Percent,
    double? RowsPerSecond,
    double? EtaSeconds
);

/// <param name="KeyCount">How many keys are asked for; null: a range is.</param>
public sealed record RequestStatus(
    long Id,
    string Kind,
    string? Entity,
    [property: JsonConverter(typeof(KeyJsonConverter))] long? FromKey,
    [property: JsonConverter(typeof(KeyJsonConverter))] long? ToKey,
    string State,
    string RequestedBy,
    DateTimeOffset RequestedAt,
    string? Answer,
    long? KeyCount
);
