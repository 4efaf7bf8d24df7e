using Cdc.Capture.Source;
using Cdc.Capture.Stream;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Capture.Slot;

/// <summary>What was done to the publication.</summary>
/// <param name="Added">Entities whose table was not published before.</param>
/// <param name="BarrierXid">
/// A change that was under way when the table was added is in no stream: chunks of it start when every transaction below this 64-bit id has
/// ended.
/// </param>
public sealed record PublicationChange(bool Created, IReadOnlyList<EntityDeclaration> Added, ulong BarrierXid);

/// <summary>Whether an existing publication brings every operation.</summary>
public enum PublicationState
{
    Missing,
    Partial,
    Whole,
}

/// <summary>
/// Makes and reads the publication and the slot, and drops the slot. Driver errors pass through; see <see cref="SourceFailure.Of"/>.
/// </summary>
public sealed class SlotSetup(SourceOptions options, EntitySet entities)
{
    /// <summary>From 17 on standbys can have a copy of a slot.</summary>
    private static readonly Version CopiesSlots = new(17, 0);

    // A declared table that does not exist cannot be added, and must not keep the others out.
    private const string UnpublishedSql = """
        SELECT n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN unnest($2, $3) d(schema_name, table_name) ON d.schema_name = n.nspname AND d.table_name = c.relname
        WHERE NOT EXISTS (SELECT FROM pg_publication_tables p WHERE p.pubname = $1 AND p.schemaname = n.nspname AND p.tablename = c.relname)
        """;

    /// <summary>
    /// Creates the publication for exactly the declared tables, or adds the ones it lacks. Before the slot is created: a slot that decodes
    /// WAL from before its publication fails. Tables that it has beyond the declared ones stay; preflight warns of them.
    /// </summary>
    /// <returns>Null when nothing had to change.</returns>
    public async Task<PublicationChange?> EnsurePublicationAsync(CancellationToken ct)
    {
        await using var connection = await SourceConnection.OpenAsync(options, ct);
        var exists = await connection
            .Statement("SELECT EXISTS (SELECT FROM pg_publication WHERE pubname = $1)", options.Publication)
            .ScalarAsync<bool>(ct);
        var missing = exists ? await MissingAsync(connection, ct) : entities.All;
        if (missing.Count == 0)
            return null;
        var sql = exists ? SlotSql.AddTables(options.Publication, missing) : SlotSql.CreatePublication(options.Publication, missing);
        await connection.Statement(sql).ExecuteAsync(ct);
        // After the change committed: a transaction below its xmax may have written before it.
        var after = await new SourceSession(connection).SnapshotAboveWritersAsync(ct);
        return new PublicationChange(!exists, missing, after.Xmax);
    }

    /// <summary>
    /// Creates the slot; waits until every transaction that is running has ended, which a forgotten one may hold up for long.
    /// </summary>
    /// <returns>The consistent point: every commit from there on will be streamed.</returns>
    /// <exception cref="PostgresException">42710: it exists already. 53400: all slots are taken.</exception>
    public async Task<Lsn> CreateSlotAsync(CancellationToken ct)
    {
        await using var connection = await SourceConnection.OpenAsync(options, ct);
        // Standbys that copy slots get it too: it survives a failover.
        var more = connection.PostgreSqlVersion >= CopiesSlots ? ", failover => true" : "";
        var command = connection.Statement(
            $"SELECT lsn::text FROM pg_create_logical_replication_slot($1, $2{more})",
            options.SlotName,
            PgOutputSlot.PluginName
        );
        command.CommandTimeout = 0;
        return Lsn.Parse(await command.ScalarAsync<string>(ct));
    }

    /// <summary>Null if there is no such slot.</summary>
    public async Task<SlotInfo?> ReadAsync(CancellationToken ct)
    {
        await using var connection = await SourceConnection.OpenAsync(options, ct);
        return await ReadAsync(connection, options.SlotName, ct);
    }

    public async Task<PublicationState> ReadPublicationAsync(CancellationToken ct)
    {
        await using var connection = await SourceConnection.OpenAsync(options, ct);
        var found = await connection
            .Statement(
                "SELECT pubinsert AND pubupdate AND pubdelete AND pubtruncate FROM pg_publication WHERE pubname = $1",
                options.Publication
            )
            .RowsAsync(row => row.GetBoolean(0), ct);
        return found is not [var whole] ? PublicationState.Missing
            : whole ? PublicationState.Whole
            : PublicationState.Partial;
    }

    /// <returns>False if there was none.</returns>
    /// <exception cref="CdcException">Another process is using it.</exception>
    public async Task<bool> DropSlotAsync(CancellationToken ct)
    {
        await using var connection = await SourceConnection.OpenAsync(options, ct);
        var slot = await ReadAsync(connection, options.SlotName, ct);
        if (slot is null)
            return false;
        if (slot.IsActive)
            throw new CdcException(
                FailureKind.Unavailable,
                $"Slot {slot.Name} cannot be dropped: process {slot.ActivePid} of the source is streaming from it.",
                $"Stop the 'cdc run' that uses it, or end its connection on the source: SELECT pg_terminate_backend({slot.ActivePid})"
            );
        await connection.Statement("SELECT pg_drop_replication_slot($1)", options.SlotName).ExecuteAsync(ct);
        return true;
    }

    internal static async Task<SlotInfo?> ReadAsync(NpgsqlConnection connection, string slot, CancellationToken ct) =>
        (await connection.Statement(SlotSql.Read, slot).RowsAsync(Slot, ct)).SingleOrDefault();

    private async Task<IReadOnlyList<EntityDeclaration>> MissingAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        string[] schemas = [.. entities.All.Select(e => e.SourceSchema)];
        string[] tables = [.. entities.All.Select(e => e.SourceTable)];
        var unpublished = await connection
            .Statement(UnpublishedSql, options.Publication, schemas, tables)
            .RowsAsync(row => (row.GetString(0), row.GetString(1)), ct);
        return [.. entities.All.Where(e => unpublished.Contains((e.SourceSchema, e.SourceTable)))];
    }

    private static SlotInfo Slot(NpgsqlDataReader row) =>
        new(
            row.GetString(0),
            Text(row, 1),
            Text(row, 2),
            row.GetBoolean(3),
            row.GetBoolean(4),
            row.IsDBNull(5) ? null : row.GetInt32(5),
            LsnAt(row, 6),
            Text(row, 7),
            Text(row, 8)
        )
        {
            IsFailover = row.IsDBNull(9) ? null : row.GetBoolean(9),
        };

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static Lsn? LsnAt(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : Lsn.Parse(row.GetString(column));
}
