using System.Buffers;
using Cdc.Core.Changes;
using Cdc.Core.Postgres.Values;
using Cdc.Log.Records;
using Cdc.Tests.Support.Records;
using Xunit;
using static Cdc.Tests.Support.Records.SampleTable;

namespace Cdc.Tests.Unit.Log.Records;

/// <summary>Rows cost the collector nothing but what they become.</summary>
public sealed class RecordAllocationTests
{
    private const int Rows = 20_000;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>A value in every column, none beyond 64 bits.</summary>
    private static byte[]?[] Row =>
        [
            Int32(17),
            [1],
            Int16(-7),
            Int32(123_456),
            Int64(-9_000_000_000),
            Float4(0.5f),
            Float8(12.25),
            Text("Käse/日/😀"),
            Text("code"),
            Int32(9_757),
            Int64(843_004_805_678_901),
            Int64(843_004_805_678_901),
            Numeric(-1_234_567_890_123, 3),
            Numeric(1_250_000_000, 2),
            Guid.NewGuid().ToByteArray(bigEndian: true),
            Text("{\"a\": [1]}"),
            [0, 255, 16],
            [1, .. Text("{}")],
        ];

    [Fact]
    public async Task Writing_a_row_of_every_type_allocates_nothing()
    {
        var table = new SampleTable();
        var encoder = await table.Codec.EncoderAsync(table.Schema, Ct);
        byte[]?[] partial = [.. Row];
        (partial[7], partial[12]) = (Unchanged, Unchanged);
        RowChange[] changes =
        [
            table.Change(RowChangeKind.Insert, 17, Row),
            table.Change(RowChangeKind.Update, 17, partial, Row),
            table.Change(RowChangeKind.Update, 17, partial),
            table.Change(RowChangeKind.Delete, 17, null),
            table.Change(RowChangeKind.Read, 17, Row),
        ];
        var output = new ArrayBufferWriter<byte>(1 << 16);
        Assert.Equal(
            0,
            Allocated(() =>
            {
                for (var i = 0; i < Rows; i++)
                {
                    output.ResetWrittenCount();
                    encoder.EncodeKey(17, null, output);
                    encoder.EncodeValue(changes[i % changes.Length], new RecordStamp(1, i), output);
                }
            })
        );
    }

    [Fact]
    public async Task Reading_a_row_of_every_type_allocates_the_change_and_its_image_alone()
    {
        var table = new SampleTable();
        var change = table.Change(RowChangeKind.Insert, 17, Row);
        var (key, value) = await table.EncodeAsync(change);
        var (decoder, changes) = (table.Codec.Decoder(table.Topic), new List<ChangeEvent>(Rows));
        await decoder.LearnAsync(key, value, Ct);
        var read = Allocated(() =>
        {
            changes.Clear();
            for (var i = 0; i < Rows; i++)
                decoder.TryDecode(key, value, changes, out _);
        });
        var images = changes.Sum(c => (long)((RowChange)c).Image.Length);
        var made = Allocated(() =>
        {
            changes.Clear();
            for (var i = 0; i < Rows; i++)
                changes.Add(
                    new RowChange
                    {
                        Transaction = change.Transaction,
                        Schema = table.Schema,
                        Kind = change.Kind,
                        Key = i,
                        Position = change.Position,
                        Image = default,
                        CommitMicros = 0,
                    }
                );
        });
        // Blocks have unused ends, and the last one is not full: far less than one more object a row would be.
        Assert.InRange(read, made + images, made + images + images / 100 + (128 << 10));
    }

    /// <summary>Bytes, after a first time in which everything is made that stays.</summary>
    private static long Allocated(Action act)
    {
        act();
        var before = GC.GetAllocatedBytesForCurrentThread();
        act();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
