using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Postgres.Values;
using Cdc.Expressions.Declaration;
using Cdc.Expressions.Rows;
using Xunit;

namespace Cdc.Tests.Unit.Entities;

public sealed class RowTransformTests
{
    private static readonly EntityDeclaration Move = EntityFile
        .Load(Path.Combine(AppContext.BaseDirectory, "schemas", "entities.json"))
        .Find("move")!;

    private static EntityDeclaration Declared(string columns, string rules = "") =>
        EntityFile
            .Parse(
                $$"""
                { "entities": [ { "name": "t", "source": { "table": "t", "key": "id", "columns": { "id": "int4", "code": "varchar", "other": "varchar", "points": "float8", "at": "timestamp" } },
                  "engine": { "table": "e", "key": "id", "columns": [ {{columns}} ] }, "rules": [ {{rules}} ] } ] }
                """,
                "t"
            )
            .All[0];

    /// <summary>A pgoutput row: null is 'n', "?" is unchanged.</summary>
    private static SourceRow Row(params object?[] values) => Typed(new uint[values.Length], values);

    /// <param name="types">OID of each column's type.</param>
    private static SourceRow Typed(uint[] types, params object?[] values)
    {
        var bytes = new CopyBuffer();
        bytes.WriteInt16((short)values.Length);
        foreach (var value in values)
        {
            byte[]? field = value switch
            {
                null or "?" => null,
                int i => Big(4, b => BinaryPrimitives.WriteInt32BigEndian(b, i)),
                long i => Big(8, b => BinaryPrimitives.WriteInt64BigEndian(b, i)),
                double d => Big(8, b => BinaryPrimitives.WriteDoubleBigEndian(b, d)),
                byte[] raw => raw,
                _ => Encoding.UTF8.GetBytes((string)value),
            };
            bytes.WriteByte(
                (byte)(
                    field is not null ? 'b'
                    : value is null ? 'n'
                    : 'u'
                )
            );
            if (field is not null)
                bytes.WriteField(field);
        }
        var row = new SourceRow(values.Length);
        var schema = new TableSchema(
            0,
            0,
            "t",
            [.. values.Select((_, i) => new ColumnSchema($"c{i}", types[i], false))],
            [.. Enumerable.Range(0, values.Length)],
            values.Length,
            RowFormat.PgOutput
        );
        row.Read(new RowImage(bytes.WrittenSpan.ToArray(), 0, bytes.Length), schema);
        return row;
    }

    private static byte[] Big(int size, Action<byte[]> write)
    {
        var bytes = new byte[size];
        write(bytes);
        return bytes;
    }

    [Fact]
    public void The_first_broken_rule_is_the_reason_and_a_warning_lets_the_row_pass()
    {
        var transform = RowTransform.Compile(
            Declared(
                """{ "name": "code", "type": "varchar(3)", "value": "code", "notNull": true }""",
                """{ "name": "code-empty", "check": "code <> ''", "message": "empty" }, { "name": "points-negative", "check": "points >= 0", "message": "negative", "warn": true }"""
            )
        );
        Assert.Equal("code-empty", transform.Describe(transform.Check(Row(1, "", "", 1.0, null))).Reason);
        Assert.Equal("code-null", transform.Describe(transform.Check(Row(1, null, "", 1.0, null))).Reason);
        Assert.Equal("code-too-long", transform.Describe(transform.Check(Row(1, "éééé", "", 1.0, null))).Reason);
        Assert.True(transform.Check(Row(1, "ééé", "", 1.0, null)).IsOk);
        var warned = transform.Check(Row(1, "a", "", -1.0, null));
        Assert.True(warned.IsOk);
        Assert.Equal(1UL << 1, warned.Warned);
    }

    [Fact]
    public void A_rule_is_skipped_when_none_of_its_columns_is_known_and_unknown_when_some_are()
    {
        var transform = RowTransform.Compile(
            Declared(
                """{ "name": "code", "type": "text", "value": "code", "notNull": true }""",
                """{ "name": "both", "check": "code <> other", "message": "m" }"""
            )
        );
        Assert.True(transform.Check(Row(1, "?", "?", 1.0, null)).IsOk);
        var unknown = transform.Check(Row(1, "a", "?", 1.0, null));
        Assert.False(unknown.IsOk || unknown.IsBroken);
        Assert.True(transform.Check(Row(1, "a", "a", 1.0, null)).IsBroken);
        // Broken by what is known: what is not known cannot repair it.
        Assert.True(transform.Check(Row(1, null, "?", 1.0, null)).IsBroken);
    }

    [Fact]
    public void A_column_with_an_unchanged_input_is_written_as_NULL_and_reported()
    {
        var transform = RowTransform.Compile(
            Declared(
                """
                { "name": "a", "type": "bigint", "value": "id" }, { "name": "b", "type": "text", "value": "coalesce(code, other)" }, { "name": "c", "type": "boolean", "value": "true" }
                """
            )
        );
        var row = Row(7, "x", "?", 1.0, null);
        var buffer = new CopyBuffer(16);
        transform.WriteColumns(row, buffer);
        Assert.Equal(0b10UL, transform.UnknownColumns(row));
        Assert.Equal([1, 2], transform.InputSlots(1));
        Assert.Equal("000000080000000000000007FFFFFFFF0000000101", Convert.ToHexString(buffer.WrittenSpan));
    }

    [Theory]
    [InlineData(1e300, "points-too-large")]
    [InlineData(1e16, "points-too-large")]
    [InlineData(double.NaN, "points-too-large")]
    [InlineData(double.NegativeInfinity, "points-too-large")]
    [InlineData(9999999999999990d, "")]
    public void Money_beyond_the_engines_numeric_breaks_a_rule_and_never_throws(double points, string reason)
    {
        var transform = RowTransform.Compile(Declared("""{ "name": "points", "type": "numeric(18,2)", "value": "points::numeric" }"""));
        Assert.Equal(reason, transform.Describe(transform.Check(Row(1, "", "", points, null))).Reason);
    }

    [Fact]
    public void An_id_beyond_the_engines_integer_and_a_cast_without_value_break_rules()
    {
        var transform = RowTransform.Compile(
            Declared("""{ "name": "a", "type": "integer", "value": "id" }, { "name": "b", "type": "bigint", "value": "points::bigint" }""")
        );
        Assert.Equal("a-out-of-range", transform.Describe(transform.Check(Row(4294967296L, "", "", 1.0, null))).Reason);
        Assert.Equal("b-not-computable", transform.Describe(transform.Check(Row(1, "", "", 1e300, null))).Reason);
    }

    [Fact]
    public void Checking_and_writing_a_row_allocates_nothing()
    {
        AssertAllocatesNothing(RowTransform.Compile(Move), Row(1, 2, 3, 4L, 5L, 33.333333333333336, 12.5, "active", "origin ä", 6L));
    }

    private static EntityDeclaration Product { get; } =
        EntityFile
            .Parse(
                """
                { "entities": [ { "name": "t", "source": { "table": "t", "key": "id", "columns": { "id": "int4", "name": "jsonb", "price": "jsonb", "points": "number", "issued": "float8", "used": "float8" } },
                  "engine": { "table": "e", "key": "id", "columns": [
                    { "name": "name", "type": "text", "value": "coalesce(name ->> 'id_ID', name ->> 'en_US')" },
                    { "name": "names", "type": "jsonb", "value": "name" },
                    { "name": "price", "type": "numeric(18,2)", "value": "round((price ->> id::text)::numeric, 2)" },
                    { "name": "points", "type": "numeric(18,2)", "value": "round(coalesce(points::numeric, 0), 2)" },
                    { "name": "amount", "type": "numeric(18,2)", "value": "round((coalesce(issued, 0) - coalesce(used, 0))::numeric, 2)" } ] },
                  "rules": [ { "name": "negative", "check": "greatest(issued, used) >= 0", "message": "m" } ] } ] }
                """,
                "t"
            )
            .All[0];

    private static readonly uint[] ProductTypes = [23, 3802, 3802, 701, 701, 701];

    private static byte[] Jsonb(string text) => [1, .. Encoding.UTF8.GetBytes(text)];

    [Fact]
    public void Taking_values_out_of_jsonb_and_calculating_allocates_nothing()
    {
        AssertAllocatesNothing(
            RowTransform.Compile(Product),
            Typed(
                ProductTypes,
                3,
                Jsonb("""{"en_US": "tab\t\"quoted\"", "fr_FR": "x", "id_ID": "Poin\nCDC"}"""),
                Jsonb("""{"1": 7, "3": "12.505"}"""),
                33.333333333333336,
                380.59999999999997,
                null
            )
        );
    }

    [Theory]
    // A double of one bit has the bytes of a numeric zero with one decimal: only the type tells them apart.
    [InlineData(701u, "0000000000000001", "0.00")]
    [InlineData(701u, "4014051EB851EB85", "5.01")]
    [InlineData(1700u, "0000000000000003", "0.00")]
    [InlineData(1700u, "000200000000000300051388", "5.50")]
    [InlineData(700u, "40A051EC", "5.01")]
    [InlineData(23u, "00000005", "5.00")]
    [InlineData(20u, "0000000000000005", "5.00")]
    public void A_number_is_read_by_the_type_that_its_row_has(uint type, string bytes, string expected)
    {
        var transform = RowTransform.Compile(Product);
        var row = Typed([.. ProductTypes[..3], type, 701, 701], 3, null, null, Convert.FromHexString(bytes), null, null);
        Assert.True(transform.Check(row).IsOk);
        var buffer = new CopyBuffer();
        Assert.True(transform.TryWriteColumn(3, row, buffer));
        Assert.Equal(expected, NumericFormat.Read(buffer.WrittenSpan[4..]).ToString());
    }

    [Fact]
    public void A_value_taken_from_an_older_row_keeps_the_type_that_it_had_there()
    {
        var (older, newer) = (Typed([23, 1700], 7, new byte[] { 0, 0, 0, 0, 0, 0, 0, 1 }), Typed([23, 701], 7, "?"));
        newer.FillUnknownFrom(older);
        Assert.Equal((1700u, ColumnState.Value), (newer.TypeOf(1), newer.StateOf(1)));
    }

    [Fact]
    public void Jsonb_is_shown_to_people_as_its_text_and_a_number_as_it_is()
    {
        var transform = RowTransform.Compile(Product);
        Assert.Equal(
            """{"id":3,"name":"{\"en_US\": \"x\"}","price":null,"points":1.5,"issued":null,"used":null}""",
            transform.SourceJson(Typed(ProductTypes, 3, Jsonb("""{"en_US": "x"}"""), null, 1.5, null, null))
        );
        Assert.Contains(
            "\"points\":\"0.0\"",
            transform.SourceJson(
                Typed([.. ProductTypes[..3], 1700, 701, 701], 3, null, null, new byte[] { 0, 0, 0, 0, 0, 0, 0, 1 }, null, null)
            ),
            StringComparison.Ordinal
        );
    }

    private static void AssertAllocatesNothing(RowTransform transform, SourceRow row)
    {
        var buffer = new CopyBuffer();
        for (var i = 0; i < 100; i++)
            Once();
        // What each row allocates shows in every round. One round alone may count what was left of this thread's piece of the heap when
        // another test brought about a collection, or what the runtime allocates once where code is compiled anew.
        var allocated = long.MaxValue;
        for (var round = 0; round < 10 && allocated > 0; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 1000; i++)
                Once();
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }
        Assert.Equal(0, allocated);

        void Once()
        {
            buffer.Reset();
            Assert.True(transform.Check(row).IsOk);
            transform.WriteColumns(row, buffer);
        }
    }

    [Fact]
    public void The_row_for_people_is_JSON_whatever_it_holds()
    {
        var transform = RowTransform.Compile(Declared("""{ "name": "a", "type": "bigint", "value": "id" }"""));
        Assert.Equal(
            """{"id":7,"code":"a\"ä\uD83D\uDE00","other":{"unchanged":true},"points":"NaN","at":"infinity"}""",
            transform.SourceJson(Row(7, "a\"ä😀", "?", double.NaN, long.MaxValue))
        );
        Assert.Contains(
            "\"at\":\"294276-12-31 23:59:59.999999\"",
            transform.SourceJson(Row(7, null, null, 1.5, 9223371331199999999L)),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "\"at\":\"4714-11-24 00:00:00 BC\"",
            transform.SourceJson(Row(7, null, null, 1.5, -211813488000000000L)),
            StringComparison.Ordinal
        );
        using var odd = JsonDocument.Parse(
            transform.SourceJson(Row(new byte[] { 1, 2, 3 }, new byte[] { 0xff, 0 }, new string('é', 5000), new byte[5], new byte[] { 9 }))
        );
        Assert.Equal("0x010203", odd.RootElement.GetProperty("id").GetString());
        Assert.EndsWith("... (10000 bytes)", odd.RootElement.GetProperty("other").GetString(), StringComparison.Ordinal);
    }
}
