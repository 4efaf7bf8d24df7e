using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Postgres.Values;

namespace Cdc.Capture.Stream;

/// <summary>
/// Turns pgoutput (protocol version 1) into change events. Positions depend on the messages alone, never on what is declared: every insert,
/// update, delete and truncate counts, whatever its relation. An update with an old tuple counts twice, because it may be a key update, and
/// a truncate as often as a table may have keys.
/// So a transaction that is sent again after the declaration changed has the same positions.
/// </summary>
/// <param name="stopped">Entities that were stopped because their table could not be read; a relation with all their columns lets them go
/// on.</param>
internal sealed class PgOutputMapper(EntitySet entities, int generation, XidClock xids, IEnumerable<int> stopped)
{
    private readonly RelationMap _relations = new(entities, stopped);
    private readonly ImageBlocks _images = new();
    private SourceTransaction? _transaction;
    private long _nextOrdinal;

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

    /// <summary>The entity goes on, fed by this relation: the source's catalog says so, not the stream.</summary>
    public void GoOn(int entity, uint relation) => _relations.GoOn(entity, relation);

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
        var table = _relations[reader.UInt32()];
        var ordinal = Count(1);
        if (!table.IsMapped)
            return;
        _ = reader.Byte(); // 'N'
        var row = reader.LastTuple();
        Emit(sink, table, RowChangeKind.Insert, KeyOf(table, row), ordinal, _images.Copy(row), default);
    }

    private void Update(ref PgOutputReader reader, IStreamSink sink)
    {
        var table = _relations[reader.UInt32()];
        var tag = reader.Byte();
        var old = tag == 'N' ? default : reader.Tuple();
        var ordinal = Count(old.IsEmpty ? 1 : 2);
        if (!table.IsMapped)
            return;
        if (tag != 'N')
            _ = reader.Byte(); // 'N' follows the old tuple
        var row = reader.LastTuple();
        var key = KeyOf(table, row);
        var before = tag == 'O' ? _images.Copy(old) : default;
        var oldKey = old.IsEmpty ? key : KeyOf(table, old);
        if (oldKey == key)
        {
            Emit(sink, table, RowChangeKind.Update, key, ordinal, _images.Copy(row), before);
            return;
        }
        Emit(sink, table, RowChangeKind.Delete, oldKey, ordinal, default, before);
        Emit(sink, table, RowChangeKind.Rekey, key, ordinal + 1, _images.Copy(row), before);
    }

    private void Delete(ref PgOutputReader reader, IStreamSink sink)
    {
        var table = _relations[reader.UInt32()];
        var ordinal = Count(1);
        if (!table.IsMapped)
            return;
        var isFull = reader.Byte() == 'O';
        var old = reader.LastTuple();
        Emit(sink, table, RowChangeKind.Delete, KeyOf(table, old), ordinal, default, isFull ? _images.Copy(old) : default);
    }

    private void Truncate(ref PgOutputReader reader, IStreamSink sink)
    {
        var relations = reader.Int32();
        _ = reader.Byte(); // CASCADE and RESTART IDENTITY: every table it reached is listed
        List<TableSchema> truncated = [];
        for (; relations > 0; relations--)
            truncated.AddRange(_relations[reader.UInt32()].Schemas);
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

    private void Relation(ref PgOutputReader reader, IStreamSink sink)
    {
        foreach (var state in _relations.Learn(RelationMessage.Read(ref reader)))
            sink.TableState(
                new TableStateChange
                {
                    Entity = state.Entity,
                    StopReason = state.StopReason,
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
        long key,
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
                    Key = key,
                    Position = PositionOf(ordinal),
                    Image = image,
                    Before = before,
                    CommitMicros = transaction.CommitMicros,
                }
            );
    }

    private long Count(long ordinals)
    {
        var first = _nextOrdinal;
        _nextOrdinal += ordinals;
        return first;
    }

    private ChangePosition PositionOf(long ordinal) => new(generation, Transaction.CommitLsn, ordinal);

    private static long KeyOf(MappedTable table, ReadOnlySpan<byte> tuple) =>
        TupleData.Integer(tuple, table.KeyColumn) ?? throw new InvalidDataException($"A row of {table.Name} came without its key.");
}
