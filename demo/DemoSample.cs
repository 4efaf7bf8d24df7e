namespace Cdc.Demo;

/// <summary>One entity at one moment.</summary>
internal sealed record EntitySample(string Name, long SourceRows, long EngineRows, long Quarantined);

/// <summary>What the view shows at one moment.</summary>
/// <param name="LagBytes">WAL written by Odoo that the engine does not have yet.</param>
/// <param name="LagMilliseconds">Age of the last transaction that was applied, 0 when nothing is on its way; null while the tables are
/// loaded.</param>
/// <param name="Transactions">Committed in the source since the demo began.</param>
internal sealed record DemoSample(
    IReadOnlyList<EntitySample> Entities,
    long LagBytes,
    double? LagMilliseconds,
    long Transactions,
    TimeSpan Elapsed
);
