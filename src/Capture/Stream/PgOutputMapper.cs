using Cdc.Core.Changes;
using Cdc.Core.Postgres.Values;

namespace Cdc.Capture.Stream;

/// <summary>
/// Turns pgoutput (protocol version 1) into change events. Positions depend on the messages alone, never on what is declared: every insert,
/// update, delete and truncate counts, whatever its relation. An update with an old tuple counts twice, because it may be a key update, and
/// a truncate as often as a table may have keys.
/// So a transaction that is sent again after the declaration changed has the same positions.
/// </summary>
/// <param name="deferred">Rows that meet at one key in one transaction: at its end the keys at which the order of the changes misleads get the
/// row that has stayed.</param>
internal sealed class PgOutputMapper(RelationMap relations, int generation, XidClock xids, DeferredKeys deferred)
{
    private readonly ImageBlocks _images = new();
    private SourceTransaction? _transaction;
    private long _nextOrdinal;

    public RelationMap Relations => relations;

    /// <summary>Between Begin and Commit.</summary>
    public bool InTransaction => _transaction is not null;

    /// <exception cref="InvalidDataException">The payload is not pgoutput of protocol version 1.</exception>
    public void Map(ReadOnlySpan<byte> payload, Lsn walStart, IStreamSink sink)
    {
        var reader = new PgOutputReader(payload);
        var kind = (char)reader.Byte();
        switch (kind)
        {
            case 'B':
                Begin(ref reader, sink);
                break;
            case 'I':
                Insert(ref reader, sink);
                break;
            case 'U':
                Update(ref reader, sink);
                break;
            case 'D':
                Delete(ref reader, sink);
                break;
            case 'C':
                Commit(ref reader, sink);
                break;
            case 'R':
                Relation(ref reader, sink);
                break;
            case 'T':
                Truncate(ref reader, sink);
                break;
            case 'M':
                Message(ref reader, sink);
                break;
            case 'O' or 'Y':
                break; // Origins and type names say nothing that a row needs.
            default:
                throw new InvalidDataException($"Unknown pgoutput message '{kind}' at {walStart}.");
        }
    }

    /// <summary>The entity goes on, in the table of this fingerprint: the source's catalog says so, not the stream.</summary>
    public void GoOn(int entity, TableFingerprint fingerprint)
    {
        relations.GoOn(entity, (uint)fingerprint.RelationOid, fingerprint.BarrierXid);
        deferred.Set(entity, fingerprint.HasDeferredKey);
    }

    private SourceTransaction Transaction =>
        _transaction ?? throw new InvalidDataException("The stream has a change outside of a transaction.");

    private void Begin(ref PgOutputReader reader, IStreamSink sink)
    {
        var commitLsn = reader.Lsn();
        var commitMicros = reader.Int64();
        _transaction = new SourceTransaction(xids.Extend(reader.UInt32()), commitLsn, commitMicros);
        _nextOrdinal = 0;
        sink.Begin(_transaction);
    }

    private void Commit(ref PgOutputReader reader, IStreamSink sink)
    {
        if (!deferred.IsEmpty)
            Settle(sink);
        _ = reader.Byte(); // flags, none defined
        _ = reader.Lsn(); // commit LSN, known since BEGIN
        var change = new CommitChange
        {
            Transaction = Transaction,
            Last = PositionOf(_nextOrdinal - 1),
            EndLsn = reader.Lsn(),
        };
        _transaction = null;
        sink.Commit(change);
    }

    private void Insert(ref PgOutputReader reader, IStreamSink sink)
    {
        var oid = reader.UInt32();
        var table = TableOf(oid, sink);
        var ordinal = Count(1);
        if (!table.IsMapped)
            return;
        _ = reader.Byte(); // 'N'
        var row = reader.LastTuple();
        if (table.Key.Of(row, out var spelled) is not { } key)
        {
            LoseKey(oid, sink);
            return;
        }
        var image = _images.Copy(row);
        Emit(sink, table, RowChangeKind.Insert, new RowKey(key, spelled), ordinal, image, default);
        deferred.Of(oid, table)?.Came(key, new KeyRow(RowChangeKind.Insert, image, default));
    }

    private void Update(ref PgOutputReader reader, IStreamSink sink)
    {
        var oid = reader.UInt32();
        var table = TableOf(oid, sink);
        var tag = reader.Byte();
        var old = tag == 'N' ? default : reader.Tuple();
        var ordinal = Count(old.IsEmpty ? 1 : 2);
        if (!table.IsMapped)
            return;
        if (tag != 'N')
            _ = reader.Byte(); // 'N' follows the old tuple
        var row = reader.LastTuple();
        if (table.Key.Of(row, old, out var spelled) is not { } key)
        {
            LoseKey(oid, sink);
            return;
        }
        var oldSpelled = spelled;
        if ((old.IsEmpty ? key : table.Key.Of(old, out oldSpelled)) is not { } oldKey)
        {
            LoseKey(oid, sink);
            return;
        }
        var before = tag == 'O' ? _images.Copy(old) : default;
        var image = _images.Copy(row);
        if (oldKey == key)
        {
            Emit(sink, table, RowChangeKind.Update, new RowKey(key, spelled), ordinal, image, before);
            // Without an old row its identity is the new one's.
            deferred.Of(oid, table)?.Changed(key, old.IsEmpty ? row : old, new KeyRow(RowChangeKind.Rekey, image, before));
            return;
        }
        Emit(sink, table, RowChangeKind.Delete, new RowKey(oldKey, oldSpelled), ordinal, default, before);
        Emit(sink, table, RowChangeKind.Rekey, new RowKey(key, spelled), ordinal + 1, image, before);
        if (deferred.Of(oid, table) is not { } keys)
            return;
        keys.Left(oldKey, old);
        keys.Came(key, new KeyRow(RowChangeKind.Rekey, image, before));
    }

    private void Delete(ref PgOutputReader reader, IStreamSink sink)
    {
        var oid = reader.UInt32();
        var table = TableOf(oid, sink);
        var ordinal = Count(1);
        if (!table.IsMapped)
            return;
        var isFull = reader.Byte() == 'O';
        var old = reader.LastTuple();
        if (table.Key.Of(old, out var spelled) is not { } key)
        {
            LoseKey(oid, sink);
            return;
        }
        Emit(sink, table, RowChangeKind.Delete, new RowKey(key, spelled), ordinal, default, isFull ? _images.Copy(old) : default);
        deferred.Of(oid, table)?.Left(key, old);
    }

    private void Truncate(ref PgOutputReader reader, IStreamSink sink)
    {
        var count = reader.Int32();
        _ = reader.Byte(); // CASCADE and RESTART IDENTITY: every table it reached is listed
        List<TableSchema> truncated = [];
        for (; count > 0; count--)
        {
            var oid = reader.UInt32();
            truncated.AddRange(TableOf(oid, sink).Schemas);
            deferred.Truncated(oid);
        }
        var position = PositionOf(Count(TruncateChange.Ordinals));
        if (truncated.Count > 0)
            sink.Truncate(
                new TruncateChange
                {
                    Transaction = Transaction,
                    Position = position,
                    Schemas = truncated,
                }
            );
    }

    /// <summary>
    /// Last in the transaction, so that its other changes keep their places. Where the stream does not say whether a key still has its former
    /// row, the row is said to be as it was before: of an engine that has none any more it is read again.
    /// </summary>
    private void Settle(IStreamSink sink)
    {
        foreach (var (table, keys) in deferred.Open)
        {
            if (keys.MustReadAgain)
            {
                ReadAgain(table, sink);
                continue;
            }
            foreach (var met in keys.Met())
            {
                var key = KeyOf(table, met);
                if (met.Row is { } row)
                {
                    Emit(sink, table, row.Kind, key, Count(1), row.Image, row.Before);
                    continue;
                }
                if (met.IsShown)
                    Emit(sink, table, RowChangeKind.Delete, key, Count(1), default, default);
                Emit(sink, table, RowChangeKind.Update, key, Count(1), keys.Unknown(met.Last), default);
            }
        }
        deferred.Clear();
    }

    /// <summary>More rows came to keys, and left some, than can be remembered.</summary>
    private void ReadAgain(MappedTable table, IStreamSink sink)
    {
        // One that is stopped is read again when the catalog lets it go on.
        foreach (var schema in table.Schemas)
            if (!Relations.IsStopped(schema.Entity))
                sink.TableState(
                    new TableStateChange
                    {
                        Entity = schema.Entity,
                        StopReason = null,
                        // What the transaction itself wrote is not whole.
                        Position = new ChangePosition(generation, new Lsn(Transaction.CommitLsn.Value + 1), 0),
                    }
                );
    }

    private void Relation(ref PgOutputReader reader, IStreamSink sink) =>
        Stop(relations.Learn(RelationMessage.Read(ref reader), Transaction.Xid), sink);

    /// <summary>The table of a row that has come. Its entities that cannot take the row stop before it.</summary>
    private MappedTable TableOf(uint oid, IStreamSink sink)
    {
        var table = relations[oid];
        if (!table.Unread.IsEmpty)
            Stop(relations.StopUnread(table, Transaction.Xid), sink);
        return table;
    }

    /// <summary>Only where the table has lost its primary key, or the key is not of the replica identity: the catalog knows it too.</summary>
    private void LoseKey(uint oid, IStreamSink sink) => Stop(relations.StopUnread(relations.LoseKey(oid), Transaction.Xid), sink);

    private void Stop(IReadOnlyList<TableStop> stops, IStreamSink sink)
    {
        foreach (var stop in stops)
            sink.TableState(
                new TableStateChange
                {
                    Entity = stop.Entity,
                    StopReason = stop.Reason,
                    Position = PositionOf(_nextOrdinal),
                }
            );
    }

    private static void Message(ref PgOutputReader reader, IStreamSink sink)
    {
        const int Transactional = 1;
        if ((reader.Byte() & Transactional) != 0)
            return; // its LSN lies inside a transaction and orders nothing
        var lsn = reader.Lsn();
        var prefix = reader.Text();
        sink.Message(prefix, reader.Take(reader.Int32()), lsn);
    }

    private void Emit(
        IStreamSink sink,
        MappedTable table,
        RowChangeKind kind,
        in RowKey key,
        long ordinal,
        in RowImage image,
        in RowImage before
    )
    {
        var transaction = Transaction;
        foreach (var schema in table.Schemas)
            sink.Row(
                new RowChange
                {
                    Transaction = transaction,
                    Schema = schema,
                    Kind = kind,
                    Key = key.Number,
                    SpelledKey = key.Spelled,
                    Position = PositionOf(ordinal),
                    Image = image,
                    Before = before,
                    CommitMicros = transaction.CommitMicros,
                }
            );
    }

    /// <summary>The row that came there last has the key that it is about.</summary>
    private static RowKey KeyOf(MappedTable table, in MetKey met)
    {
        table.Key.Of(met.Last.Image.Span, met.Last.Before.IsEmpty ? default : met.Last.Before.Span, out var spelled);
        return new RowKey(met.Key, spelled);
    }

    private long Count(long ordinals)
    {
        var first = _nextOrdinal;
        _nextOrdinal += ordinals;
        return first;
    }

    private ChangePosition PositionOf(long ordinal) => new(generation, Transaction.CommitLsn, ordinal);
}

/// <param name="Spelled">As in <see cref="RowChange.SpelledKey"/>.</param>
internal readonly record struct RowKey(long Number, byte[]? Spelled);
