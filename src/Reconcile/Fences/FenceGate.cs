using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Fences;
using Cdc.Core.Postgres;
using Cdc.Core.Snapshots;
using Cdc.Engine;
using Cdc.Engine.Fences;
using Npgsql;

namespace Cdc.Reconcile.Fences;

/// <summary>
/// Opens source and engine at one point, from any process: asks the running pipeline for it through the engine, and repeats what something
/// broke. Any number at a time. The pipeline waits for the moment in which the engine's snapshot is taken, no longer.
/// </summary>
/// <param name="source">Connection string to the source's primary, of a role that may read the table.</param>
/// <param name="engine">Connection string to the engine, of a role that may ask for fences (<c>cdc grants engine --for reconcile</c>).</param>
public sealed class FenceGate(string source, string engine, FenceOptions options, TimeProvider? time = null) : IFence
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    private readonly string _source = Named(source);
    private readonly string _engine = Named(engine);
    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <summary>
    /// Both sides at one point of the source's WAL. Dispose it soon: it holds a snapshot and a lock against DDL on Odoo's table.
    /// </summary>
    /// <exception cref="FenceException">Not now, and why. Unavailable: the pipeline is not running, or every attempt broke. Refused: the
    /// entity's table is stopped. DeclaredGap: the pipeline has stopped.</exception>
    /// <exception cref="Tables.TableException">The source refuses to read the entity's table.</exception>
    /// <exception cref="NpgsqlException">A server cannot be reached, or refuses.</exception>
    public async Task<FencedSnapshots> OpenAsync(EntityDeclaration entity, KeyRange range, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            var (opened, broken) = await AttemptAsync(entity, range, ct);
            if (opened is not null)
                return opened;
            if (!broken!.MayPass || attempt >= options.Attempts)
                throw broken.After(attempt, entity.Name);
            await Task.Delay(PauseAfter(attempt), _time, ct);
        }
    }

    /// <summary>The same while writes are frozen, for a sign-off: nothing may be in flight.</summary>
    /// <exception cref="FenceException">As above. Refused: keys were in flight, so Odoo is not frozen.</exception>
    public async Task<FencedSnapshots> OpenFrozenAsync(EntityDeclaration entity, KeyRange range, CancellationToken ct)
    {
        var fenced = await OpenAsync(entity, range, ct);
        if (!fenced.InFlight.All && fenced.InFlight.Keys.Count == 0)
            return fenced;
        await fenced.DisposeAsync();
        var what = fenced.InFlight.All ? "a truncate was" : $"{fenced.InFlight.Keys.Count} keys were";
        throw new BrokenFence(FenceReasons.NotFrozen, $"Writes are not frozen: {what} in flight at {fenced.Marker}.").After(1, entity.Name);
    }

    private async Task<(FencedSnapshots? Opened, BrokenFence? Broken)> AttemptAsync(
        EntityDeclaration entity,
        KeyRange range,
        CancellationToken ct
    )
    {
        await using var asking = new NpgsqlConnection(_engine);
        await asking.OpenPinnedAsync(ct);
        await using var attempt = new FenceAttempt(new NpgsqlConnection(_source), new NpgsqlConnection(_engine), entity, options.Timeout);
        var broken = await attempt.RunAsync(asking, range, ct);
        return broken is null ? (attempt.Take(EndAsync), null) : (null, broken);
    }

    /// <summary>Says that the comparison is over; nothing depends on it.</summary>
    private async Task EndAsync(long fence)
    {
        try
        {
            await using var connection = new NpgsqlConnection(_engine);
            await connection.OpenPinnedAsync(CancellationToken.None);
            await FenceRow.EndAsync(connection, fence, CancellationToken.None);
        }
        catch (NpgsqlException)
        {
            // Then it stays open in the table until it is pruned.
        }
    }

    private static TimeSpan PauseAfter(int attempt)
    {
        var pause = ShortestPause * Math.Pow(2, Math.Min(attempt - 1, 10));
        return pause < LongestPause ? pause : LongestPause;
    }

    private static string Named(string connectionString)
    {
        var settings = SessionSettings.Connection(connectionString);
        settings.ApplicationName = EngineRole.Reconcile.ApplicationName();
        return settings.ConnectionString;
    }
}
