namespace Cdc.Tests.Support.Network;

/// <summary>One connection is to break at its COMMIT.</summary>
internal sealed class CommitCut(bool reachesServer)
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool ReachesServer { get; } = reachesServer;

    public Task Done => _done.Task;

    public void SetDone() => _done.TrySetResult();
}
