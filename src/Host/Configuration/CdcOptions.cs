using Cdc.Api;
using Cdc.Capture;
using Cdc.Capture.Snapshot;
using Cdc.Engine;
using Cdc.Log;
using Cdc.Log.Kafka;
using Cdc.Log.Registry;
using Cdc.Odoo;
using Cdc.Pipeline;
using Cdc.Reconcile;
using Cdc.Reconcile.Alerts;
using Cdc.Reconcile.Continuous;
using Cdc.Reconcile.Fences;
using Cdc.Reverse;

namespace Cdc.Host.Configuration;

/// <summary>All that cdc.json may hold: one record a section. Their properties are the known names.</summary>
internal sealed record CdcOptions
{
    public SourceOptions Source { get; init; } = new();
    public EngineOptions Engine { get; init; } = new();
    public LogOptions Log { get; init; } = new();
    public KafkaOptions Kafka { get; init; } = new();
    public RegistryOptions Registry { get; init; } = new();
    public SnapshotOptions Snapshot { get; init; } = new();
    public FenceOptions Fence { get; init; } = new();
    public ReconcileOptions Reconcile { get; init; } = new();
    public ContinuousOptions Continuous { get; init; } = new();
    public AlertOptions Alerts { get; init; } = new();
    public ApiOptions Api { get; init; } = new();

    public OdooOptions Odoo { get; init; } = new();
    public ReverseOptions Reverse { get; init; } = new();

    public EntityOptions Entities { get; init; } = new();

    /// <summary>The sections that the way back needs.</summary>
    public ReverseSettings WayBack => new(Reverse, Odoo, Engine);

    /// <summary>The sections that the pipeline needs.</summary>
    public PipelineOptions Pipeline =>
        new()
        {
            Source = Source,
            Engine = Engine,
            Snapshot = Snapshot,
            Log = Log,
            Kafka = Kafka,
            Registry = Registry,
            OwnMigrations = Entities.Migrations,
        };

    /// <summary>What brings changes out of Odoo, for sentences.</summary>
    public string Capturer => Log.Kind == ChangeLogKind.Kafka ? "'cdc capture' (or 'cdc run')" : "'cdc run'";
}

/// <summary>The servers that a command talks to: it asks for no connection string that it does not use.</summary>
[Flags]
internal enum Needs
{
    None = 0,
    Source = 1,
    Engine = 2,
    Both = Source | Engine,
}
