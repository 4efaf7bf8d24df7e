namespace Cdc.Tests.Integration.Faults.Campaign;

/// <summary>One of the processes of <c>cdc</c> that run on the stage.</summary>
/// <param name="Command">Such as <c>run</c>.</param>
/// <param name="StartAsync">Ends when it has said something: before that a SIGTERM would end it as it ends any program.</param>
internal sealed record CampaignProgram(string Command, Func<CancellationToken, Task<WatchedProcess>> StartAsync);
