using Cdc.Capture;
using Cdc.Capture.Snapshot;
using Cdc.Engine;
using Cdc.Log;
using Cdc.Log.Kafka;
using Cdc.Log.Registry;

namespace Cdc.Pipeline;

/// <summary>The sections of the configuration that the pipeline needs, whole or one end of it.</summary>
public sealed record PipelineOptions
{
    public SourceOptions Source { get; init; } = new();
    public EngineOptions Engine { get; init; } = new();
    public SnapshotOptions Snapshot { get; init; } = new();
    public LogOptions Log { get; init; } = new();

    /// <summary>These two act only with <see cref="ChangeLogKind.Kafka"/>.</summary>
    public KafkaOptions Kafka { get; init; } = new();
    public RegistryOptions Registry { get; init; } = new();

    /// <summary>Folder of the operator's own migrations; nothing: there are none.</summary>
    public string OwnMigrations { get; init; } = "";

    /// <summary>
    /// The process serves others too: what needs a person is waited out beside them. False: it is thrown, and ends the process.
    /// </summary>
    public bool WaitsForPeople { get; init; }
}
