using System.Buffers;
using Cdc.Core.Changes;
using Cdc.Log.Avro.Binary;
using Cdc.Log.Records.Columns;

namespace Cdc.Log.Records;

/// <summary>
/// The envelope's <c>source</c>, but for its last two fields. What is the same in every record of a table is encoded once.
/// <c>lsn</c> is the commit's, not the change's own: it orders changes, which the other does not.
/// </summary>
internal sealed class SourceBlock
{
    private readonly byte[] _identity;
    private readonly byte[] _streamed;
    private readonly byte[] _read;
    private readonly byte[] _table;

    /// <param name="version">Of cdc.</param>
    /// <param name="name">The topics' prefix, as Debezium has it.</param>
    public SourceBlock(string version, string name, string database, string schema, string table)
    {
        _identity = Strings(version, "postgresql", name);
        _streamed = SnapshotAndDatabase("false", database);
        _read = SnapshotAndDatabase("incremental", database);
        _table = Strings(schema, table);
    }

    public void Write(RowChange change, RecordStamp stamp, ref AvroWriter writer) =>
        Write(
            change.CommitMicros,
            change.Transaction is null,
            change.Transaction,
            change.Position,
            stamp,
            change.Kind == RowChangeKind.Rekey,
            ref writer
        );

    public void Write(TruncateChange change, RecordStamp stamp, ref AvroWriter writer) =>
        Write(change.Transaction.CommitMicros, false, change.Transaction, change.Position, stamp, false, ref writer);

    /// <summary>ts_ms, ts_us and ts_ns where each may be null.</summary>
    public static void WriteTimes(long unixMicros, ref AvroWriter writer)
    {
        WriteOptional(unixMicros / 1_000, ref writer);
        WriteMicros(unixMicros, ref writer);
    }

    /// <summary>
    /// ts_us, and no ts_ns: PostgreSQL's clock has no nanoseconds, and a number beyond 2^53 in every record is one that readers in
    /// JavaScript refuse.
    /// </summary>
    private static void WriteMicros(long unixMicros, ref AvroWriter writer)
    {
        WriteOptional(unixMicros, ref writer);
        writer.WriteByte(0);
    }

    private void Write(
        long commitMicros,
        bool isRead,
        SourceTransaction? transaction,
        ChangePosition position,
        RecordStamp stamp,
        bool isRekey,
        ref AvroWriter writer
    )
    {
        var unix = commitMicros + UnixTime.Micros;
        writer.WriteRaw(_identity);
        writer.WriteLong(unix / 1_000);
        writer.WriteRaw(isRead ? _read : _streamed);
        WriteMicros(unix, ref writer);
        writer.WriteRaw(_table);
        if (transaction is null)
            writer.WriteByte(0);
        else
            WriteOptional((long)transaction.Xid, ref writer);
        WriteOptional((long)position.CommitLsn.Value, ref writer);
        writer.WriteByte(0); // xmin
        writer.WriteLong(position.Generation);
        writer.WriteLong(position.Ordinal);
        writer.WriteLong(stamp.Session);
        writer.WriteLong(stamp.Sequence);
        writer.WriteBoolean(isRekey);
    }

    private static void WriteOptional(long value, ref AvroWriter writer)
    {
        writer.WriteByte(2); // branch 1, as a zigzag number
        writer.WriteLong(value);
    }

    /// <summary>The branch of the string, the string, the database, and no sequence.</summary>
    private static byte[] SnapshotAndDatabase(string snapshot, string database) => [0, .. Strings(snapshot, database), 0];

    private static byte[] Strings(params string[] texts)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new AvroWriter(output);
        foreach (var text in texts)
            writer.WriteBytes(System.Text.Encoding.UTF8.GetBytes(text));
        writer.Flush();
        return output.WrittenSpan.ToArray();
    }
}
