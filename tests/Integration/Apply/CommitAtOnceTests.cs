using Cdc.Core.Changes;
using Cdc.Core.Postgres;
using Cdc.Engine;
using Cdc.Engine.Rows;
using Cdc.Engine.Tables;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Apply;

/// <summary>A few rows and their checkpoint as one batch: what carries the rows, and that they stand and fall together.</summary>
public sealed class CommitAtOnceTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("boolean", "true", "false")]
    [InlineData("smallint", "-32768", "32767")]
    [InlineData("integer", "-2147483648", "0", "2147483647")]
    [InlineData("bigint", "-9223372036854775808", "9223372036854775807")]
    [InlineData("double precision", "NaN", "-Infinity", "-0", "5e-324")]
    [InlineData("numeric", "NaN", "0.00", "-12345678901234567890.000000001")]
    [InlineData("text", "", "NULL", "{\"a\"}", "漢字 \\ ,")]
    [InlineData("timestamp", "-infinity", "infinity", "2026-03-29 02:30:00.000001")]
    [InlineData("timestamptz", "-infinity", "4714-11-24 00:00:00+00 BC", "2026-10-25 02:30:00+02")]
    [InlineData("date", "infinity", "4714-11-24 BC", "5874897-12-31")]
    [InlineData("jsonb", "null", "{\"b\": [1.50, \"x\"]}", "\"\\u00e4\"")]
    public async Task An_array_of_the_fields_of_binary_COPY_is_what_PostgreSQL_wrote(string type, params string[] values)
    {
        await using var database = await servers.Engine.CreateDatabaseAsync("arrays", ct: Ct);
        await using var connection = await EngineConnection.OpenAsync(
            new EngineOptions { ConnectionString = database.ConnectionString },
            EngineRole.Apply,
            Ct
        );
        await connection
            .Statement(
                $"CREATE TABLE v (at bigint GENERATED ALWAYS AS IDENTITY, value {type}); INSERT INTO v (value) VALUES (NULL){string.Concat(values.Select(v => $", ({Sql.Literal(v)})"))}, (NULL)"
            )
            .ExecuteAsync(Ct);
        var element = BuiltInType.Of(SqlTypeName.Parse(type)!.Value);
        var array = new BinaryArray(element.Oid);
        foreach (var field in await FieldsAsync(connection))
            Assert.True(array.Add(field).IsEmpty);
        await using var command = connection.Statement(
            "SELECT count(*) FILTER (WHERE a.value IS NOT DISTINCT FROM v.value AND a.value::text IS NOT DISTINCT FROM v.value::text), count(*) "
                + "FROM unnest($1) WITH ORDINALITY a(value, at) FULL JOIN v USING (at)",
            new NpgsqlParameter<BinaryArray> { TypedValue = array, DataTypeName = element.ArrayName }
        );
        await using var reader = await command.ExecuteReaderAsync(Ct);
        Assert.True(await reader.ReadAsync(Ct));
        Assert.Equal((values.Length + 2L, values.Length + 2L), (reader.GetInt64(0), reader.GetInt64(1)));
    }

    [Fact]
    public async Task Rows_of_an_owner_that_was_replaced_are_undone_with_its_checkpoint()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await bed.StopInProcessAsync();
        await using var connection = await EngineConnection.OpenAsync(bed.EngineOptions, EngineRole.Apply, Ct);
        var owner = new CheckpointTable(Guid.NewGuid());
        var at = await owner.TakeAsync(connection, Ct);
        var next = at with { Through = new Lsn(at.Through.Value + 1) };

        await WriteAsync(connection, owner, next, "mine");
        owner.SetCommitted(next);
        await new CheckpointTable(Guid.NewGuid()).TakeAsync(connection, Ct);
        var refused = await Assert.ThrowsAsync<PostgresException>(() =>
            WriteAsync(connection, owner, next with { Through = new Lsn(at.Through.Value + 2) }, "not mine any more")
        );
        Assert.NotNull(owner.FencedBy(refused));
        Assert.Equal(["mine"], await bed.Engine.RowsAsync("SELECT name FROM promotion_programs WHERE id >= 4294967296 ORDER BY 1", Ct));
    }

    [Fact]
    public async Task A_division_by_zero_of_a_row_is_not_taken_for_another_owner()
    {
        await using var database = await servers.Engine.CreateDatabaseAsync("fenced", ct: Ct);
        await using var connection = await database.DataSource.OpenConnectionAsync(Ct);
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new NpgsqlBatchCommand("SELECT 1 / 0") } };
        var failed = await Assert.ThrowsAsync<PostgresException>(() => batch.ExecuteNonQueryAsync(Ct));
        Assert.Null(new CheckpointTable(Guid.NewGuid()).FencedBy(failed));
    }

    private static async Task WriteAsync(NpgsqlConnection connection, CheckpointTable owner, Checkpoint next, string name)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                Statements.BatchStatement("INSERT INTO promotion_programs (id, name) VALUES (4294967296 + length($1), $1)", name),
            },
        };
        foreach (var command in owner.MoveOrFail(next, []))
            batch.BatchCommands.Add(command);
        await batch.ExecuteNonQueryAsync(Ct);
    }

    /// <summary>The one field of each row, its length in front.</summary>
    private static async Task<List<byte[]>> FieldsAsync(NpgsqlConnection connection)
    {
        await using var copy = await connection.BeginRawBinaryCopyAsync(
            "COPY (SELECT value FROM v ORDER BY at) TO STDOUT (FORMAT BINARY)",
            Ct
        );
        using var all = new MemoryStream();
        await copy.CopyToAsync(all, Ct);
        var fields = new List<byte[]>();
        // Behind the header of 19 bytes each row has the number of its fields; -1 ends it.
        for (var rest = all.ToArray().AsSpan(19); rest[0] == 0; )
        {
            var length = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(rest[2..]);
            var end = 2 + sizeof(int) + Math.Max(length, 0);
            fields.Add(rest[2..end].ToArray());
            rest = rest[end..];
        }
        return fields;
    }
}
