using Cdc.Api.Engine;
using Cdc.Api.Live;
using Cdc.Cutover.Phases;
using Cdc.Cutover.Routes;
using Npgsql;

namespace Cdc.Api.Routes;

/// <summary>
/// The rules of the running plan: in memory while changes arrive, and the last known ones while the engine is down, so that what was moved
/// stays moved, and what was taken back stays back.
/// </summary>
internal sealed class RouteTable(EngineReads engine) : INotifiedTable
{
    private volatile Known? _rules;

    /// <summary>Every read writes it: a slow one may put an older version here, which only counts while the engine is down.</summary>
    private volatile Known? _lastKnown;
    private int _changes = 1;
    private int _readAt;

    public string Channel => CutoverTable.Channel;

    public bool IsStale => Volatile.Read(ref _changes) != Volatile.Read(ref _readAt);

    public void OnChange() => Interlocked.Increment(ref _changes);

    public void OnDisconnect() => OnChange();

    public async Task ReloadAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var changes = Volatile.Read(ref _changes);
        _rules = _lastKnown = new Known(await RouteSource.ReadAsync(connection, ct));
        // Only now: until then what was read before would count as current. A change since then makes it stale again.
        Volatile.Write(ref _readAt, changes);
    }

    /// <summary>Null: no plan runs.</summary>
    /// <exception cref="EngineUnavailableException">They were never read, and cannot be now.</exception>
    public async ValueTask<RouteRules?> RulesAsync(CancellationToken ct)
    {
        if (!IsStale && _rules is { } known)
            return known.Rules;
        try
        {
            return (_lastKnown = new Known(await engine.UseAsync(c => RouteSource.ReadAsync(c, ct), ct))).Rules;
        }
        catch (EngineUnavailableException) when (_lastKnown is { } last)
        {
            return last.Rules;
        }
    }

    /// <param name="Rules">Null: no plan runs.</param>
    private sealed record Known(RouteRules? Rules);
}
