using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Host.Servers;
using Cdc.Host.Status;
using Npgsql;

namespace Cdc.Host.Slots;

/// <summary>
/// Accepts a break in continuity: a new slot from now on, a new generation, and every table to be read again beside the stream.
/// The order makes a crash at any point harmless. 1. The engine is marked as having a gap: from here on no <c>cdc run</c> goes on with the
/// old progress. 2. The slot is dropped, 3. created anew. 4. One engine transaction begins the generation and ends the gap. Whoever stops
/// in between runs the reset again: 1 and 2 find their work done, 3 makes another slot, which nobody has read yet.
/// </summary>
internal sealed class SlotReset(Database source, Database engine, ISlotSetup setup, string slot, string publication, EntitySet entities)
{
    /// <returns>The new generation.</returns>
    /// <exception cref="CdcException">Refused: the engine follows no source yet, or somebody reads the slot. Fenced: another reset was faster.</exception>
    public async Task<int> RunAsync(CancellationToken ct)
    {
        var followed = await engine.UseAsync(c => FollowedSource.ReadAsync(c, ct), ct) ?? throw SlotRefusals.NothingFollowed();
        SlotRefusals.ThrowIfRead((await ReadSourceAsync(ct)).Slot);
        await engine.UseAsync(c => MarkGapAsync(c, ct), ct);
        await setup.DropAsync(ct);
        var start = await setup.CreateAsync(ct);
        var identity = await ReadSourceAsync(ct);
        return await engine.UseAsync(c => BeginGenerationAsync(c, followed.Generation, identity, start.ToString(), ct), ct);
    }

    private Task<SourceStatus> ReadSourceAsync(CancellationToken ct) => source.UseAsync(c => SourceStatusReader.ReadAsync(c, slot, ct), ct);

    /// <summary>Keeps the first reason, and takes the checkpoints away from any process that still believes to own them.</summary>
    private static async Task MarkGapAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await connection.ExecuteAsync(
            """
            UPDATE cdc.source
            SET state = 'gap', gap_kind = COALESCE(gap_kind, 'reset'), gap_detail = COALESCE(gap_detail, 'cdc slot reset was begun'), updated_at = now()
            """, [], ct);
        await connection.ExecuteAsync("UPDATE cdc.checkpoints SET owner_token = gen_random_uuid()", [], ct);
        await transaction.CommitAsync(ct);
    }

    private async Task<int> BeginGenerationAsync(NpgsqlConnection connection, int old, SourceStatus identity, string start, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        // The slot's place is known here, so a slot that was created again behind our back is found at the next start.
        object?[] values = [identity.SystemIdentifier, identity.Timeline, identity.Database, slot, publication, start, old];
        if (await connection.ExecuteAsync(SourceSql, values, ct) == 0)
            throw new FencedException("Another 'cdc slot reset' finished while this one was running.");
        var generation = old + 1;
        await connection.ExecuteAsync(CheckpointsSql, [generation, start], ct);
        await connection.ExecuteAsync(TablesSql, [Names, generation], ct);
        await connection.ExecuteAsync("DELETE FROM cdc.chunks WHERE state = 'pending' AND generation < $1", [generation], ct);
        await connection.ExecuteAsync("INSERT INTO cdc.chunks (entity, generation, kind) SELECT e, $2, 'load' FROM unnest($1::text[]) e", [Names, generation], ct);
        // Their chunks are gone with the old generation: the next 'cdc run' cuts them again.
        await connection.ExecuteAsync("UPDATE cdc.requests SET state = 'open', answered_at = NULL WHERE state = 'accepted'", [], ct);
        await transaction.CommitAsync(ct);
        return generation;
    }

    private string[] Names => entities.All.Select(e => e.Name).ToArray();

    private const string SourceSql =
        """
        UPDATE cdc.source
        SET state = 'streaming', generation = generation + 1, system_identifier = $1, timeline = $2, database_name = $3, slot = $4, publication = $5,
            written_lsn = $6::pg_lsn, gap_kind = NULL, gap_detail = NULL, updated_at = now()
        WHERE state = 'gap' AND generation = $7
        """;

    // LSNs of another source mean nothing here; last_xid 0 = there is no last transaction to recognise. A random token leaves nobody as owner.
    private const string CheckpointsSql =
        """
        UPDATE cdc.checkpoints
        SET generation = $1, last_lsn = '0/0', last_ordinal = 0, last_xid = 0, through_lsn = $2::pg_lsn, owner_token = gen_random_uuid(), updated_at = now()
        """;

    // Rows of older generations are not whole any more. No barrier: a slot is created only when every transaction running before it has ended.
    private const string TablesSql =
        """
        INSERT INTO cdc.tables (entity, state, whole_generation) SELECT e, 'loading', $2 FROM unnest($1::text[]) e
        ON CONFLICT (entity) DO UPDATE
        SET state = 'loading', reason = NULL, relation_oid = NULL, relfilenode = NULL, columns = NULL,
            whole_generation = EXCLUDED.whole_generation, whole_lsn = '0/0', barrier_xid = 0, updated_at = now()
        """;
}
