using Cdc.Core.Changes;
using Cdc.Log.Records;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Records;
using Xunit;

namespace Cdc.Tests.Unit.Log.Records;

/// <summary>Changes come back from a topic as they went in.</summary>
public sealed class RecordRoundTripTests
{
    private static readonly RowChangeKind[] Kinds = Enum.GetValues<RowChangeKind>();

    [Theory]
    [InlineData(TimestampUnit.Micros)]
    [InlineData(TimestampUnit.Millis)]
    public void Every_value_of_every_type_comes_back_to_the_last_bit(TimestampUnit timestamps)
    {
        var random = new Random(TestSeed.Draw());
        for (var round = 0; round < 500; round++)
        {
            var table = new SampleTable(timestamps: timestamps);
            var key = random.Next();
            var kind = Kinds[random.Next(Kinds.Length)];
            var row = new RandomRow(random).Next(key, mayBePartial: kind is RowChangeKind.Update or RowChangeKind.Rekey);
            var change = table.Change(kind, key, kind == RowChangeKind.Delete ? null : row);
            var stamp = new RecordStamp(random.NextInt64(), random.NextInt64());
            var (decoded, readStamp) = RoundTrip(table, change, stamp);
            Assert.Equal(stamp, readStamp);
            AssertSame(change, decoded, row);
        }
    }

    [Fact]
    public void An_old_row_fills_what_the_new_one_left_out()
    {
        var (table, rows) = (new SampleTable(), new RandomRow(new Random(3)));
        var before = rows.Next(5, mayBePartial: false);
        var row = rows.Next(5, mayBePartial: false);
        var (text, number) = (7, 12);
        (row[text], row[number]) = (SampleTable.Unchanged, SampleTable.Unchanged);
        var (decoded, _) = RoundTrip(table, table.Change(RowChangeKind.Update, 5, row, before), default);
        (row[text], row[number]) = (before[text], before[number]);
        AssertSame(table.Change(RowChangeKind.Update, 5, row), decoded, row);
    }

    [Fact]
    public void The_end_of_a_key_that_was_not_there_when_it_was_read_is_of_no_transaction()
    {
        var table = new SampleTable();
        var end = new RowChange
        {
            Schema = table.Schema,
            Kind = RowChangeKind.Delete,
            Key = 5,
            Position = new ChangePosition(3, new Lsn(100), -7),
            CommitMicros = 9,
        };
        var (decoded, _) = RoundTrip(table, end, default);
        AssertSame(end, decoded, []);
        Assert.True(decoded.IsOwedEnd);
    }

    [Fact]
    public async Task A_truncate_names_every_entity_of_its_topic()
    {
        var table = new SampleTable();
        var change = new TruncateChange
        {
            Transaction = new SourceTransaction(9, new Lsn(100), 5),
            Position = new ChangePosition(2, new Lsn(100), 3),
            Schemas = [table.Schema],
        };
        var encoder = await table.Codec.EncoderAsync(table.Schema, TestContext.Current.CancellationToken);
        var value = new System.Buffers.ArrayBufferWriter<byte>();
        encoder.EncodeTruncate(change, new RecordStamp(4, 8), value);
        var (decoded, stamp) = await table.DecodeAsync([], value.WrittenSpan.ToArray());
        var truncate = Assert.IsType<TruncateChange>(decoded);
        Assert.Equal(
            (change.Position, change.Transaction, new RecordStamp(4, 8), 0),
            (truncate.Position, truncate.Transaction, stamp, Assert.Single(truncate.Entities))
        );
    }

    [Fact]
    public async Task Cut_or_changed_bytes_are_refused_or_read_and_never_anything_else()
    {
        var (table, random) = (new SampleTable(), new Random(11));
        var (key, value) = await table.EncodeAsync(
            table.Change(RowChangeKind.Insert, 1, new RandomRow(random).Next(1, mayBePartial: false))
        );
        for (var length = 0; length < value.Length; length++)
            await Assert.ThrowsAsync<RecordFormatException>(() => table.DecodeAsync(key, value[..length]));
        for (var round = 0; round < 20_000; round++)
        {
            var changed = (byte[])value.Clone();
            for (var flips = random.Next(1, 4); flips > 0; flips--)
                changed[random.Next(5, changed.Length)] = (byte)random.Next(256);
            try
            {
                await table.DecodeAsync(key, changed);
            }
            catch (RecordFormatException) { }
        }
    }

    [Fact]
    public async Task What_was_seen_once_is_read_and_written_while_the_registry_is_away()
    {
        var table = new SampleTable();
        var change = table.Change(RowChangeKind.Insert, 1, new RandomRow(new Random(1)).Next(1, mayBePartial: false));
        var (key, value) = await table.EncodeAsync(change);
        var (decoder, changes) = (table.Codec.Decoder(table.Topic), new List<ChangeEvent>());
        Assert.False(decoder.TryDecode(key, value, changes, out _));
        await decoder.LearnAsync(key, value, TestContext.Current.CancellationToken);
        table.Schemas.IsDown = true;
        Assert.True(table.Codec.Decoder(table.Topic).TryDecode(key, value, changes, out _));
        await table.EncodeAsync(change);
        await Assert.ThrowsAsync<Cdc.Core.Failures.CdcException>(() => new SampleTable(schemas: table.Schemas).EncodeAsync(change));
    }

    [Fact]
    public async Task A_schema_that_the_registry_does_not_have_or_that_holds_no_rows_is_named()
    {
        var table = new SampleTable();
        var (key, value) = await table.EncodeAsync(
            table.Change(RowChangeKind.Insert, 1, new RandomRow(new Random(1)).Next(1, mayBePartial: false))
        );
        var (decoder, ct) = (table.Codec.Decoder(table.Topic), TestContext.Current.CancellationToken);
        byte[] unknown = [0, 0, 0, 3, 9, .. value[5..]];
        Assert.False(decoder.TryDecode(key, unknown, [], out _));
        Assert.Contains(
            "777",
            (await Assert.ThrowsAsync<RecordFormatException>(() => decoder.LearnAsync(key, unknown, ct))).Message,
            StringComparison.Ordinal
        );
        await Assert.ThrowsAsync<RecordFormatException>(() => decoder.LearnAsync(unknown, value, ct));
        // A key's schema is no value's, and the other way round.
        await Assert.ThrowsAsync<RecordFormatException>(() => decoder.LearnAsync(key, key, ct));
        await Assert.ThrowsAsync<RecordFormatException>(() => decoder.LearnAsync(value, value, ct));
        await Assert.ThrowsAsync<RecordFormatException>(() => decoder.LearnAsync(key, value.AsMemory(0, 3), ct));
    }

    [Fact]
    public async Task Equal_keys_have_equal_bytes_whatever_the_row()
    {
        var (table, rows) = (new SampleTable(), new RandomRow(new Random(2)));
        var (insert, _) = await table.EncodeAsync(table.Change(RowChangeKind.Insert, 300, rows.Next(300, mayBePartial: false)));
        var (delete, _) = await table.EncodeAsync(table.Change(RowChangeKind.Delete, 300, null));
        Assert.Equal(insert, delete);
        Assert.Equal([0xD8, 0x04], insert[5..]);
    }

    private static (RowChange Change, RecordStamp Stamp) RoundTrip(SampleTable table, RowChange change, RecordStamp stamp)
    {
        var (key, value) = table.EncodeAsync(change, stamp).GetAwaiter().GetResult();
        var (decoded, read) = table.DecodeAsync(key, value).GetAwaiter().GetResult();
        return ((RowChange)decoded, read);
    }

    private static void AssertSame(RowChange expected, RowChange read, byte[]?[] row)
    {
        Assert.Equal(
            (expected.Kind, expected.Key, expected.Position, expected.CommitMicros, expected.Transaction),
            (read.Kind, read.Key, read.Position, read.CommitMicros, read.Transaction)
        );
        if (expected.Kind == RowChangeKind.Delete)
        {
            Assert.True(read.Image.IsEmpty);
            return;
        }
        var values = SampleTable.Values(read);
        for (var i = 0; i < row.Length; i++)
            // A topic's json is text: jsonb comes back without the byte that says its binary format.
            Assert.True(
                Same(
                    SampleTable.AllTypes[i].Name == "jb" && row[i] is { } jsonb && !ReferenceEquals(jsonb, SampleTable.Unchanged)
                        ? jsonb[1..]
                        : row[i],
                    values[i]
                ),
                $"{SampleTable.AllTypes[i].Name}: {Show(row[i])} became {Show(values[i])}"
            );
    }

    private static bool Same(byte[]? a, byte[]? b) => a is null || b is null ? a == b : a.AsSpan().SequenceEqual(b);

    private static string Show(byte[]? value) => value is null ? "NULL" : Convert.ToHexString(value);
}
