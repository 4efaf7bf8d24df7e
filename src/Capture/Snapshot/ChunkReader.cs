using System.Buffers.Binary;
using Cdc.Capture.Source;
using Cdc.Capture.Tables;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Core.Postgres.Values;
using Cdc.Core.Snapshots;
using Npgsql;

namespace Cdc.Capture.Snapshot;

/// <summary>What one reading gave. <see cref="Next"/>: the first key that was not read because the rows reached their bound.</summary>
internal sealed record ChunkReading(ChunkRows Rows, long? Next);

/// <summary>
/// Reads one chunk in a REPEATABLE READ transaction on its own connection. The lock comes before the snapshot: an older snapshot sees
/// a table that was rewritten or truncated since as empty.
/// </summary>
internal sealed class ChunkReader(SourceOptions source, SnapshotOptions options, EntitySet entities, ITableRegistry tables)
    : IAsyncDisposable
{
    private NpgsqlConnection? _connection;

    /// <summary>The first key after the chunk, if the range holds more rows than a chunk may.</summary>
    public async Task<long?> BoundaryAsync(ChunkJob job, CancellationToken ct)
    {
        var entity = entities[job.Entity];
        var key = entity.SourceKey;
        var connection = await ConnectionAsync(ct);
        await using var command = new NpgsqlCommand(
            $"SELECT {key.Number()}::bigint FROM {entity.SourceRows} WHERE {InRange(job, key)} ORDER BY {key.Order()} OFFSET {options.ChunkRows} LIMIT 1",
            connection
        )
        {
            // As long as it takes, on a table that is not in memory: the heartbeat notices an unreachable source.
            CommandTimeout = 0,
        };
        return (long?)await command.ExecuteScalarAsync(ct);
    }

    /// <param name="take">Is given the snapshot before a row is read; false ends the reading.</param>
    /// <returns>Null if the snapshot was refused.</returns>
    /// <exception cref="PostgresException">42P01, 42703: the table or a column is gone. 55P03: locked for too long.</exception>
    public async Task<ChunkReading?> ReadAsync(ChunkJob job, Func<SourceSnapshot, bool> take, CancellationToken ct)
    {
        var connection = await ConnectionAsync(ct);
        var entity = entities[job.Entity];
        try
        {
            var before = await CatalogReader.ReadAsync(connection, source.Publication, [entity], ct);
            await connection
                .Statement(
                    $"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL lock_timeout = '2s'; LOCK TABLE {entity.SourceRows} IN ACCESS SHARE MODE"
                )
                .ExecuteAsync(ct);
            var (snapshot, micros) = await SnapshotAsync(connection, ct);
            if (!take(snapshot))
                return null;
            if (
                entity.HashedKey?.Any(c => c.Type == SourceType.Text) == true
                && ServerEncoding.Of(connection.PostgresParameters) == ServerEncoding.None
            )
                throw HashedKeyException.WithoutEncoding(entity);
            var columns = await ColumnsAsync(connection, entity, before, ct);
            var reading = await CopyAsync(connection, entity, columns, job, micros, ct);
            return reading;
        }
        finally
        {
            await EndAsync(connection);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is { } connection)
            await connection.DisposeAsync();
    }

    private async ValueTask<NpgsqlConnection> ConnectionAsync(CancellationToken ct) =>
        _connection ??= await SourceConnection.OpenForRowsAsync(source, ct);

    private static async Task<(SourceSnapshot Snapshot, long Micros)> SnapshotAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("SELECT pg_current_snapshot()::text, clock_timestamp()", connection);
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        return (SourceSnapshot.Parse(reader.GetString(0)), PostgresTime.ToMicros(reader.GetFieldValue<DateTime>(1)));
    }

    /// <summary>
    /// The declared columns as the catalog has them, the key first. What is not the table that the stream brings must not be read: bytes of
    /// a column that was retyped would be taken for something else, and rows that a view or a partitioned table in its place does not show
    /// would be taken for deleted.
    /// </summary>
    private async Task<IReadOnlyList<(SourceColumn Declared, ColumnSchema Schema)>> ColumnsAsync(
        NpgsqlConnection connection,
        EntityDeclaration entity,
        SourceCatalog before,
        CancellationToken ct
    )
    {
        var catalog = await CatalogReader.ReadLockedAsync(connection, source.Publication, [entity], before, ct);
        var table = catalog.Tables[0].Table;
        if (catalog.Publication is not { } publication)
            throw new UnreadableTableException($"Publication {source.Publication} does not exist.");
        if (TableJudge.Judge(entity, table, publication) is { Count: > 0 } obstacles)
            throw new UnreadableTableException(string.Join(' ', obstacles.Select(o => o.Message)));
        // Another table that has the name now: it is read only once TableWatch has recognised it.
        if (tables.Fingerprints[entity.Index] is { } followed && followed.RelationOid != table!.Oid)
            throw new UnreadableTableException($"{entity.SourceName} is not the table that is followed.");
        return [.. entity.KeyColumns.Concat(entity.SourceColumns.Except(entity.KeyColumns)).Select(c => (c, SchemaOf(c)))];

        ColumnSchema SchemaOf(SourceColumn column)
        {
            var found = table!.Column(column.Name)!;
            return new ColumnSchema(column.Name, found.TypeOid, entity.KeyColumns.Contains(column), found.TypeModifier);
        }
    }

    private async Task<ChunkReading> CopyAsync(
        NpgsqlConnection connection,
        EntityDeclaration entity,
        IReadOnlyList<(SourceColumn Declared, ColumnSchema Schema)> columns,
        ChunkJob job,
        long micros,
        CancellationToken ct
    )
    {
        var key = entity.SourceKey;
        var schema = new TableSchema(
            entity.Index,
            0,
            entity.SourceName,
            [.. columns.Select(c => c.Schema)],
            [.. columns.Select(c => c.Declared.Slot)],
            entity.SourceColumns.Count,
            RowFormat.Copy
        );
        var sql =
            $"COPY (SELECT {string.Join(", ", columns.Select(c => Sql.Identifier(c.Schema.Name)))} FROM {entity.SourceRows} WHERE {InRange(job, key)} ORDER BY {key.Order()}) TO STDOUT (FORMAT BINARY)";
        await using var copy = await connection.BeginRawBinaryCopyAsync(sql, ct);
        var rows = new CopyOutRows(copy);
        var read = new List<(long Key, RowImage)>();
        var spelled = entity.HashedKey is { } hashed ? new SpelledRows(entity, hashed) : null;
        long bytes = 0;
        while (await rows.NextAsync(ct) is { } image)
        {
            var rowKey =
                spelled is not null ? spelled.Add(image)
                : key.IsPair ? PairOf(image, entity)
                : KeyOf(image);
            if (bytes > options.ChunkBytes)
            {
                await copy.CancelAsync();
                spelled?.RemoveLast();
                return new ChunkReading(new ChunkRows(schema, read, micros) { SpelledKeys = spelled?.Keys }, rowKey);
            }
            bytes += image.Length;
            read.Add((rowKey, image));
        }
        return new ChunkReading(new ChunkRows(schema, read, micros) { SpelledKeys = spelled?.Keys }, null);
    }

    private static string InRange(ChunkJob job, SourceKey key) =>
        job.Keys is { } keys
            ? key.IsIn($"'{{{string.Join(',', keys)}}}'::bigint[]")
            : $"{(job.Range.From is { } from ? key.From(Literal(from)) : "true")} AND {(job.Range.To is { } to ? key.Below(Literal(to)) : "true")}";

    /// <summary>A negative number is an expression: a cast or an operator would take its digits alone.</summary>
    private static string Literal(long number) => number < 0 ? $"'{number}'::bigint" : $"{number}";

    private static long KeyOf(RowImage image)
    {
        var bytes = image.Span[2..];
        return BinaryPrimitives.ReadInt32BigEndian(bytes) switch
        {
            2 => BinaryPrimitives.ReadInt16BigEndian(bytes[4..]),
            4 => BinaryPrimitives.ReadInt32BigEndian(bytes[4..]),
            8 => BinaryPrimitives.ReadInt64BigEndian(bytes[4..]),
            var length => throw new InvalidDataException($"A key of {length} bytes."),
        };
    }

    /// <summary>Both columns stand first.</summary>
    /// <exception cref="UnreadableTableException">One is negative: the pair has no number.</exception>
    private static long PairOf(RowImage image, EntityDeclaration entity)
    {
        var bytes = image.Span[2..];
        var length = BinaryPrimitives.ReadInt32BigEndian(bytes);
        var first = SourceValue.Integer(bytes.Slice(4, length));
        bytes = bytes[(4 + length)..];
        var second = SourceValue.Integer(bytes.Slice(4, BinaryPrimitives.ReadInt32BigEndian(bytes)));
        return KeyPair.Number(first, second)
            ?? throw new UnreadableTableException(
                $"A row of {entity.SourceName} has the key {first},{second}: of a key of two columns neither may be negative."
            );
    }

    private static async Task EndAsync(NpgsqlConnection connection)
    {
        if (connection.State == System.Data.ConnectionState.Open)
            await connection.Statement("ROLLBACK").ExecuteAsync(CancellationToken.None);
    }
}

/// <summary>The table cannot be followed as it is now; <see cref="TableWatch"/> stops it.</summary>
internal sealed class UnreadableTableException(string reason) : Exception(reason);
