using System.Buffers;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Progress;
using Cdc.Core.Telemetry;
using Cdc.Log.Records;

namespace Cdc.Log.Kafka;

/// <summary>
/// One capture session's way into the log. What the tails have already is not sent again. Waits while <c>maxBytes</c> are on their way, and
/// throws what the brokers refused: then the session ends, and the next one starts where everything was acknowledged.
/// </summary>
internal sealed class KafkaLogWriter(
    SessionLayout layout,
    IRecordCodec codec,
    LogProducer producer,
    ILogBoard board,
    long maxBytes,
    PipelineStatistics statistics
) : IChangeLogWriter, IDisposable
{
    private const int MostEncoders = 256;

    private readonly ByteBound _onTheWay = new(maxBytes);
    private readonly long[] _sequences = new long[layout.Topics.All.Count];
    private readonly Dictionary<TableSchema, IRecordEncoder> _encoders = new(ReferenceEqualityComparer.Instance);
    private readonly ArrayBufferWriter<byte> _key = new(64);
    private readonly ArrayBufferWriter<byte> _value = new(4096);
    private LogProgress _streamed = LogProgress.None;
    private LogProgress _acknowledged = LogProgress.None;
    private (ChangePosition Position, string Topic) _written;
    private (ChangePosition Position, string Topic) _truncated;

    /// <summary>Null: a truncate is one record in every partition.</summary>
    public TruncatedKeys? Truncated { get; init; }

    public bool IsHalfFull => _onTheWay.IsHalfFull;

    public LogProgress Acknowledged => Volatile.Read(ref _acknowledged);

    /// <summary>Tombstones that the session before this one did not get to send.</summary>
    public void SendOwed()
    {
        foreach (var partition in layout.Topics.All)
            if (layout.Tails[partition.Index].OwedTombstone is { } key)
                producer.Append(partition.Index, key, null);
        // They do not wait for what comes next.
        producer.Mark(static () => { });
    }

    public async ValueTask AppendAsync(ChangeBatch batch, CancellationToken ct)
    {
        await TakeAsync(batch.Bytes, ct);
        foreach (var change in batch.Events)
        {
            if (change is RowChange row && _encoders.TryGetValue(row.Schema, out var encoder))
                Append(row, encoder);
            else
                await AppendAsync(change, ct);
        }
        var (streamed, bytes) = (_streamed, batch.Bytes);
        producer.Mark(() =>
        {
            Volatile.Write(ref _acknowledged, streamed);
            _onTheWay.GiveBack(bytes);
        });
        statistics.PutIntoLog(batch.Count);
        statistics.TakenFromLog(batch.Count);
    }

    public void Dispose() => _onTheWay.Dispose();

    private async ValueTask TakeAsync(long bytes, CancellationToken ct)
    {
        if (producer.Failed.IsCompleted)
            await producer.Failed;
        var room = _onTheWay.TakeAsync(bytes, ct);
        if (!room.IsCompleted)
            await (await Task.WhenAny(room.AsTask(), producer.Failed));
        else
            await room;
    }

    private async ValueTask AppendAsync(ChangeEvent change, CancellationToken ct)
    {
        switch (change)
        {
            case RowChange row:
                Append(row, await EncoderAsync(row.Schema, ct));
                break;
            case TruncateChange truncate:
                foreach (var schema in truncate.Schemas)
                    await AppendAsync(truncate, schema, await EncoderAsync(schema, ct), ct);
                break;
            case CommitChange commit:
                _streamed = _streamed with { Through = Lsn.Max(_streamed.Through, commit.EndLsn), Last = commit.Transaction };
                break;
            case ThroughChange through:
                _streamed = _streamed with
                {
                    Through = Lsn.Max(_streamed.Through, through.Through),
                    AsOfMicros = through.AsOfMicros ?? _streamed.AsOfMicros,
                };
                break;
            case ChunkEndChange end:
                producer.Mark(() => Pass(end.Chunk));
                break;
            case FenceChange fence:
                await producer.FlushAsync(ct);
                await board.FenceAsync(fence, producer.Vector(), ct);
                break;
            case TableStateChange state:
                await producer.FlushAsync(ct);
                await board.TableStateAsync(state, ct);
                break;
        }
    }

    private void Pass(Core.Snapshots.Chunk chunk)
    {
        chunk.Vector = producer.Vector();
        chunk.SetPassed();
    }

    private void Append(RowChange row, IRecordEncoder encoder)
    {
        // Entities that share a table: the change is in the topic once.
        if (_written == (row.Position, encoder.Topic))
            return;
        _written = (row.Position, encoder.Topic);
        _key.ResetWrittenCount();
        encoder.EncodeKey(row.Key, row.SpelledKey, _key);
        var partition = layout.Placement.Of(encoder.Topic, row.Key, _key.WrittenSpan).Index;
        if (row.Position <= layout.Tails[partition].Last)
            return;
        _value.ResetWrittenCount();
        encoder.EncodeValue(row, new RecordStamp(layout.Session, _sequences[partition]++), _value);
        var key = _key.WrittenSpan.ToArray();
        producer.Append(partition, key, _value.WrittenSpan.ToArray(), row.Key);
        if (row.Kind == RowChangeKind.Delete)
            producer.Append(partition, key, null);
    }

    private async Task AppendAsync(TruncateChange truncate, TableSchema schema, IRecordEncoder encoder, CancellationToken ct)
    {
        // Entities that share a table: once.
        if (_truncated == (truncate.Position, encoder.Topic))
            return;
        _truncated = (truncate.Position, encoder.Topic);
        if (Truncated is null)
        {
            Append(truncate, encoder);
            return;
        }
        var place = Truncated.LastPlace(truncate, encoder.Topic);
        await foreach (var keys in Truncated.ReadAsync(truncate, schema, encoder.Topic, ct))
        foreach (var key in keys)
        {
            // Of other keys than one integer there are more than places.
            var hasPlace = !KeyPair.Is(key.Number) && !KeyHash.Is(key.Number);
            Append(DeleteOf(truncate, schema, key, hasPlace ? truncate.PositionOf(key.Number) : truncate.PositionAt(++place)), encoder);
            CrashPoint.Hit("after-truncated-key");
        }
    }

    private static RowChange DeleteOf(TruncateChange truncate, TableSchema schema, KnownKey key, ChangePosition position) =>
        new()
        {
            Transaction = truncate.Transaction,
            Schema = schema,
            Kind = RowChangeKind.Delete,
            Key = key.Number,
            SpelledKey = key.Spelled,
            Position = position,
            CommitMicros = truncate.Transaction.CommitMicros,
        };

    private void Append(TruncateChange truncate, IRecordEncoder encoder)
    {
        foreach (var partition in layout.Topics.Of(encoder.Topic))
        {
            if (truncate.Position <= layout.Tails[partition.Index].Last)
                continue;
            _value.ResetWrittenCount();
            encoder.EncodeTruncate(truncate, new RecordStamp(layout.Session, _sequences[partition.Index]++), _value);
            producer.Append(partition.Index, null, _value.WrittenSpan.ToArray());
        }
    }

    private async ValueTask<IRecordEncoder> EncoderAsync(TableSchema schema, CancellationToken ct)
    {
        // Each chunk has its own schema.
        if (_encoders.Count >= MostEncoders)
            _encoders.Clear();
        return _encoders[schema] = await codec.EncoderAsync(schema, ct);
    }
}
