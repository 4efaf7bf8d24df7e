namespace Cdc.Capture;

/// <summary>Odoo's database (section <c>Source</c>).</summary>
public sealed record SourceOptions
{
    /// <summary>Npgsql connection string of a role with REPLICATION and SELECT on the declared tables.</summary>
    public string ConnectionString { get; init; } = "";
    public string SlotName { get; init; } = "cdc_loyalty";
    public string Publication { get; init; } = "cdc_loyalty";

    /// <summary>Memory of the server's decoder before it spills a transaction to its disk.</summary>
    public string LogicalDecodingWorkMem { get; init; } = "256MB";

    /// <summary>Between two heartbeats, which bound how long streamed keys are remembered and how long an idle database pins WAL.</summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>True: a declared gap is accepted without an operator. Everything is then read again.</summary>
    public bool AcceptGaps { get; init; }

    /// <summary>Keys of one transaction that are remembered for snapshot chunks; above it, chunks of its tables wait until it is visible.</summary>
    public int RememberedKeys { get; init; } = 1_000_000;
}
