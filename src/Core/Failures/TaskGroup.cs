namespace Cdc.Core.Failures;

/// <summary>
/// Tasks that live and die together: none goes on without the others, and the failure that ended the first is the one that is thrown.
/// </summary>
public static class TaskGroup
{
    /// <summary>Until one of them ends, and so all.</summary>
    /// <param name="ended">Cancels what all of them run under.</param>
    public static async Task RunAsync(CancellationTokenSource ended, params Task[] all) =>
        await EndAsync(ended, await Task.WhenAny(all), all);

    /// <summary>Cancels and awaits all of them; then returns, or throws what <paramref name="first"/> threw.</summary>
    public static async Task EndAsync(CancellationTokenSource ended, Task first, params Task[] all)
    {
        await ended.CancelAsync();
        await Task.WhenAll(all).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await first;
    }
}
