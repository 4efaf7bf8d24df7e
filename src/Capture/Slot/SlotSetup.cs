using Cdc.Capture.Source;
using Cdc.Capture.Stream;
using Cdc.Capture.Tables;
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

    /// <summary>
    /// Creates the publication for exactly the declared tables, or adds the ones it lacks, as far as they can be followed in it. Before the
    /// slot is created: a slot that decodes WAL from before its publication fails. Tables that it has beyond the declared ones stay;
    /// preflight warns of them. Where only the owner of tables or publication may add them, nothing is tried: each table that is not
    /// published stops alone, with the SQL for its owner.
    /// </summary>
    /// <returns>Null when nothing was changed.</returns>
    public async Task<PublicationChange?> EnsurePublicationAsync(CancellationToken ct)
    {
        await using var connection = await SourceConnection.OpenAsync(options, ct);
        while (true)
        {
            var catalog = await CatalogReader.ReadAsync(connection, options.Publication, entities.All, ct);
            if (catalog.Publication is not null)
                return await ExtendAsync(connection, catalog, ct);
            if (await CreatePublicationAsync(connection, catalog, ct) is { } created)
                return created;
        }
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

    /// <returns>Null: a table changed meanwhile, so that nothing was created.</returns>
    private async Task<PublicationChange?> CreatePublicationAsync(NpgsqlConnection connection, SourceCatalog catalog, CancellationToken ct)
    {
        var tables = catalog.Tables.Where(t => TableJudge.MayBePublished(t.Entity, t.Table)).Select(t => t.Entity).ToList();
        if (tables.Count == 0)
            throw new CdcException(
                FailureKind.Preflight,
                $"Publication {options.Publication} does not exist, and none of the declared tables can be published.",
                "Run 'cdc check': it names what each of them lacks."
            );
        return await ChangeAsync(connection, catalog, SlotSql.CreatePublication(options.Publication, tables), true, tables, ct);
    }

    /// <summary>The watch looks at the catalog anyway, and extends the publication by what it found.</summary>
    /// <returns>Null: nothing was missing, or a table changed meanwhile; the next look judges it.</returns>
    internal async Task<PublicationChange?> ExtendAsync(NpgsqlConnection connection, SourceCatalog catalog, CancellationToken ct)
    {
        if (catalog.Publication is not { IsOwner: true })
            return null;
        List<EntityDeclaration> missing = [.. TableJudge.Unpublished(catalog).Where(e => catalog.Owns([e]))];
        return missing.Count == 0
            ? null
            : await ChangeAsync(connection, catalog, SlotSql.AddTables(options.Publication, missing), false, missing, ct);
    }

    /// <summary>
    /// Publishing locks the tables against DDL: only then is what the catalog says of them certain, and a table that came to an identity
    /// that makes Odoo's own updates fail is left as it was.
    /// </summary>
    /// <returns>Null: it was taken back.</returns>
    private async Task<PublicationChange?> ChangeAsync(
        NpgsqlConnection connection,
        SourceCatalog catalog,
        string sql,
        bool created,
        IReadOnlyList<EntityDeclaration> tables,
        CancellationToken ct
    )
    {
        await using (var transaction = await connection.BeginTransactionAsync(ct))
        {
            await connection.Statement(sql).ExecuteAsync(ct);
            var locked = await CatalogReader.ReadLockedAsync(connection, options.Publication, entities.All, catalog, ct);
            if (!locked.Tables.Where(t => tables.Contains(t.Entity)).All(t => TableJudge.MayBePublished(t.Entity, t.Table)))
                return null;
            await transaction.CommitAsync(ct);
        }
        // After the change committed: a transaction below its xmax may have written before it.
        var after = await new SourceSession(connection).SnapshotAboveWritersAsync(ct);
        return new PublicationChange(created, tables, after.Xmax);
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
