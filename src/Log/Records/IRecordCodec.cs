using System.Buffers;
using Cdc.Core.Changes;
using Cdc.Core.Entities;

namespace Cdc.Log.Records;

/// <summary>Which record of which capture session a record with a payload is. Both are in the payload, never in headers.</summary>
/// <param name="Session">Number of the capture session that wrote it; rises.</param>
/// <param name="Sequence">Counts the session's records with a payload in this partition, without gaps.</param>
public readonly record struct RecordStamp(long Session, long Sequence);

/// <summary>
/// Changes of tables as keys and values of a topic's records, and back. Safe for concurrent use; what it gives out is not.
/// What was written reads back to the last bit: position, transaction, key, and each declared column's value, NULL or "unchanged".
/// </summary>
public interface IRecordCodec
{
    /// <summary>The topic of an entity's source table. Entities that read the same table share it, and each change is in it once.</summary>
    string TopicOf(EntityDeclaration entity);

    /// <summary>
    /// What writes rows of this schema. Its key and value schema are registered when this returns; cheap when the schema was seen before.
    /// Of entities that share a table ask for one only.
    /// </summary>
    /// <exception cref="Cdc.Core.Failures.CdcException">
    /// <see cref="Cdc.Core.Failures.FailureKind.Unavailable"/>: the schema is new, and the registry cannot be reached; try again later.
    /// <see cref="Cdc.Core.Failures.FailureKind.Preflight"/>: it is not compatible with what readers of the topic know.
    /// </exception>
    ValueTask<IRecordEncoder> EncoderAsync(TableSchema schema, CancellationToken ct);

    /// <summary>What reads a topic's records, for one consumer.</summary>
    IRecordDecoder Decoder(string topic);
}

/// <summary>Writes the records of one table schema. Allocates nothing; for one thread at a time.</summary>
public interface IRecordEncoder
{
    string Topic { get; }

    /// <summary>The record's key: also a tombstone's. Equal keys have equal bytes as long as the key's type stays.</summary>
    /// <param name="spelled">As in <see cref="RowChange.SpelledKey"/>.</param>
    void EncodeKey(long key, byte[]? spelled, IBufferWriter<byte> output);

    /// <summary>
    /// The value: op <c>c</c> (insert, and the new row of a key update), <c>u</c>, <c>d</c>, or <c>r</c> for a row of a chunk. A delete's
    /// tombstone is a separate record with the same key and no value, which the caller sends behind it.
    /// </summary>
    void EncodeValue(RowChange change, RecordStamp stamp, IBufferWriter<byte> output);

    /// <summary>The value, op <c>t</c>, of a record without a key that goes to every partition of the topic.</summary>
    void EncodeTruncate(TruncateChange change, RecordStamp stamp, IBufferWriter<byte> output);
}

/// <summary>Reads the records of one topic. For one thread at a time.</summary>
public interface IRecordDecoder
{
    /// <summary>
    /// Adds what the record says to <paramref name="changes"/>: a <see cref="RowChange"/> for each entity of the topic, in the order of the
    /// declaration, or one <see cref="TruncateChange"/> with all of them. Tombstones (no value) say nothing: do not pass them.
    /// Images are the decoder's own copies: the spans may be reused at once.
    /// </summary>
    /// <param name="key">Empty for a truncate.</param>
    /// <returns>False, and nothing added, if a schema was not seen before: await <see cref="LearnAsync"/>, then again.</returns>
    /// <exception cref="RecordFormatException">The bytes are not such a record.</exception>
    bool TryDecode(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, List<ChangeEvent> changes, out RecordStamp stamp);

    /// <summary>Fetches the schemas that this record names. They stay cached while the registry is down.</summary>
    /// <exception cref="Cdc.Core.Failures.CdcException"><see cref="Cdc.Core.Failures.FailureKind.Unavailable"/>: try again
    /// later.</exception>
    /// <exception cref="RecordFormatException">The registry has no such schema, or rows cannot be read with it.</exception>
    Task LearnAsync(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value, CancellationToken ct);
}

/// <summary>Bytes of a topic that are not a record of its table. The reader adds partition and offset.</summary>
public sealed class RecordFormatException(string message, Exception? inner = null) : Exception(message, inner);
