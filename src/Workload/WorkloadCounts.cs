using Cdc.Workload.Plan;

namespace Cdc.Workload;

/// <summary>Counts of all sessions.</summary>
internal sealed class WorkloadCounts
{
    private readonly long[] _done = new long[Enum.GetValues<TransactionKind>().Length];
    private long _retries;
    private long _refused;
    private long _disconnects;

    public void Done(TransactionKind kind) => Interlocked.Increment(ref _done[(int)kind]);

    public void Retry() => Interlocked.Increment(ref _retries);

    public void Refuse() => Interlocked.Increment(ref _refused);

    public void Disconnect() => Interlocked.Increment(ref _disconnects);

    public WorkloadReport Report(TimeSpan elapsed) =>
        new(
            Enum.GetValues<TransactionKind>()
                .Select(kind => KeyValuePair.Create(kind, Interlocked.Read(ref _done[(int)kind])))
                .Where(count => count.Value > 0)
                .ToDictionary(),
            Interlocked.Read(ref _retries),
            Interlocked.Read(ref _refused),
            Interlocked.Read(ref _disconnects),
            elapsed
        );
}
