using Cdc.Workload.Plan;

namespace Cdc.Workload;

/// <summary>What was done so far.</summary>
/// <param name="ByKind">Transactions carried out; kinds that never were are absent. Those of kind Rollback left nothing.</param>
/// <param name="Retries">Transactions tried again after a serialization failure or a deadlock.</param>
/// <param name="Refused">Transactions that the source refused: its own constraints, or (where that is outlived) changed tables.</param>
/// <param name="Disconnects">Connections that were lost and opened again.</param>
public sealed record WorkloadReport(
    IReadOnlyDictionary<TransactionKind, long> ByKind,
    long Retries,
    long Refused,
    long Disconnects,
    TimeSpan Elapsed
)
{
    public long Transactions { get; } = ByKind.Values.Sum();

    public double TransactionsPerSecond => Elapsed > TimeSpan.Zero ? Transactions / Elapsed.TotalSeconds : 0;
}
