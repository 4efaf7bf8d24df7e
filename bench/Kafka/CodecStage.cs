using System.Buffers;
using Cdc.Bench.Measure;
using Cdc.Core.Changes;
using Cdc.Log.Records;
using Cdc.Tests.Support.Records;

namespace Cdc.Bench.Kafka;

/// <summary>
/// What it costs to write rows as records and to read them back, without a broker: orders of two rows (a card's update, a new history row)
/// as in the backlog, on one thread, in memory. CPU of the whole process: the collector's is part of it.
/// </summary>
internal sealed class CodecStage(Figures figures)
{
    private const int Orders = 10_000;
    private const int Rounds = 40;
    private const int WarmUp = 10;

    public async Task MeasureAsync(CancellationToken ct)
    {
        var codec = new AvroRecordCodec(DeliveredTables.Entities, "odoo", "odoo", "bench", new SchemasInMemory(), TimeProvider.System);
        var changes = OrderRows.Make(Orders);
        var encoders = new Dictionary<TableSchema, IRecordEncoder>();
        foreach (var schema in changes.Select(c => c.Schema).Distinct())
            encoders[schema] = await codec.EncoderAsync(schema, ct);
        var (card, history) = (encoders[changes[0].Schema], encoders[changes[1].Schema]);
        var records = new Records(changes.Count);
        var (encode, decode) = (new List<double>(), new List<double>());
        for (var round = 0; round < WarmUp + Rounds; round++)
        {
            ct.ThrowIfCancellationRequested();
            var encoded = Encode(changes, card, history, records);
            var decoded = await DecodeAsync(codec, changes.Count, records, ct);
            if (round < WarmUp)
                continue;
            encode.Add(encoded);
            decode.Add(decoded);
        }
        figures.AddMedian("encode.us_per_row", encode, "µs");
        figures.AddMedian("decode.us_per_row", decode, "µs");
        figures.Add("record.bytes", records.Bytes / (double)changes.Count, "bytes");
    }

    /// <summary>Microseconds of CPU a row, key and value.</summary>
    private static double Encode(IReadOnlyList<RowChange> changes, IRecordEncoder card, IRecordEncoder history, Records records)
    {
        records.Clear();
        var start = Environment.CpuUsage.TotalTime;
        for (var i = 0; i < changes.Count; i++)
        {
            var encoder = i % 2 == 0 ? card : history;
            encoder.EncodeKey(changes[i].Key, changes[i].SpelledKey, records.Output);
            records.EndPart();
            encoder.EncodeValue(changes[i], new RecordStamp(1, i), records.Output);
            records.EndPart();
        }
        return (Environment.CpuUsage.TotalTime - start).TotalMicroseconds / changes.Count;
    }

    private static async Task<double> DecodeAsync(AvroRecordCodec codec, int rows, Records records, CancellationToken ct)
    {
        var decoders = new[]
        {
            codec.Decoder(codec.TopicOf(DeliveredTables.Entities.Find("card")!)),
            codec.Decoder(codec.TopicOf(DeliveredTables.Entities.Find("history")!)),
        };
        for (var i = 0; i < 2; i++)
            await decoders[i].LearnAsync(records.Key(i), records.Value(i), ct);
        return Decode(decoders, rows, records);
    }

    private static double Decode(IRecordDecoder[] decoders, int rows, Records records)
    {
        var read = new List<ChangeEvent>(1_024);
        var start = Environment.CpuUsage.TotalTime;
        for (var i = 0; i < rows; i++)
        {
            if (!decoders[i % 2].TryDecode(records.Key(i).Span, records.Value(i).Span, read, out _))
                throw new InvalidOperationException("The decoder does not know its schema.");
            if (read.Count == 1_000)
                read.Clear();
        }
        return (Environment.CpuUsage.TotalTime - start).TotalMicroseconds / rows;
    }

    /// <summary>Keys and values, one behind the other.</summary>
    private sealed class Records(int rows)
    {
        private readonly int[] _ends = new int[2 * rows];
        private int _parts;

        public ArrayBufferWriter<byte> Output { get; } = new(rows * 512);
        public int Bytes => Output.WrittenCount;

        public void Clear()
        {
            Output.ResetWrittenCount();
            _parts = 0;
        }

        public void EndPart() => _ends[_parts++] = Output.WrittenCount;

        public ReadOnlyMemory<byte> Key(int row) => Part(2 * row);

        public ReadOnlyMemory<byte> Value(int row) => Part(2 * row + 1);

        private ReadOnlyMemory<byte> Part(int part)
        {
            var start = part == 0 ? 0 : _ends[part - 1];
            return Output.WrittenMemory[start.._ends[part]];
        }
    }
}
