using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Snapshots;
using Cdc.Reconcile.Fences;
using Npgsql;

namespace Cdc.Tests.Support.Reconcile;

/// <summary>Two databases without writes need no pipeline for a fence: any two snapshots are at the same place.</summary>
public sealed class QuietFence(NpgsqlDataSource source, NpgsqlDataSource engine) : IFence
{
    /// <summary>What the pipeline would say of each range.</summary>
    public Func<KeyRange, InFlightKeys> InFlight { get; set; } = _ => InFlightKeys.None;

    public int Generation { get; set; } = 1;

    /// <summary>How many were opened.</summary>
    public int Opened { get; private set; }

    /// <summary>Called with each range before its snapshots are taken.</summary>
    public Func<KeyRange, Task> BeforeOpening { get; set; } = _ => Task.CompletedTask;

    public async Task<FencedSnapshots> OpenAsync(EntityDeclaration entity, KeyRange range, CancellationToken ct)
    {
        Opened++;
        await BeforeOpening(range);
        return new FencedSnapshots(
            await SnapshotAsync(source, ct),
            await SnapshotAsync(engine, ct),
            InFlight(range),
            Generation,
            new Lsn((ulong)Opened)
        );
    }

    private static async Task<NpgsqlConnection> SnapshotAsync(NpgsqlDataSource side, CancellationToken ct)
    {
        var connection = await side.OpenConnectionAsync(ct);
        await using var command = new NpgsqlCommand(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT pg_current_snapshot()",
            connection
        );
        await command.ExecuteNonQueryAsync(ct);
        return connection;
    }
}
