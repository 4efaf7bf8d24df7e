using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Api;

/// <summary>
/// An engine's server and its standby, which replays every commit 100 ms late: so there is always something that the one has and the other
/// has not.
/// </summary>
public sealed class ReplicatedEngine : IAsyncLifetime
{
    private PgCluster? _engine;
    private PgCluster? _standby;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>Started at first use: a missing prerequisite is a skip of the test that asks.</summary>
    public async Task<(PgCluster Engine, PgCluster Standby)> StartAsync(CancellationToken ct)
    {
        _engine ??= await PgCluster.StartAsync(new PgClusterOptions { Name = "replicated", SharedBuffers = "64MB" }, ct);
        _standby ??= await _engine.StartStandbyAsync(
            new Dictionary<string, string> { ["recovery_min_apply_delay"] = "100ms", ["max_standby_streaming_delay"] = "1s" },
            ct
        );
        return (_engine, _standby);
    }

    public async ValueTask DisposeAsync()
    {
        if (_standby is not null)
            await _standby.DisposeAsync();
        if (_engine is not null)
            await _engine.DisposeAsync();
    }
}
