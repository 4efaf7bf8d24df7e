using System.Globalization;
using System.Text;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Core.Postgres.Values;
using Cdc.Expressions;
using Cdc.Expressions.Nodes;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Entities;

/// <summary>A source table of nasty values, and PostgreSQL's own answer to any expression over it, row by row.</summary>
internal sealed class OracleTable(TestDatabase engine, IReadOnlyList<SourceColumn> columns, TableSchema schema, List<RowImage> rows)
{
    /// <summary>What an expression gives where PostgreSQL raises an error about data (class 22, and NaN to integer).</summary>
    private const string DataError = "ERROR";

    private const string OracleFunction = """
        CREATE FUNCTION oracle(expression text, wanted int) RETURNS text LANGUAGE plpgsql AS $$
        DECLARE answer text;
        BEGIN
            EXECUTE format('SELECT %s FROM nasty WHERE n = $1', expression) INTO answer USING wanted;
            RETURN coalesce(answer, 'NULL');
        EXCEPTION WHEN OTHERS THEN
            RETURN CASE WHEN sqlstate LIKE '22%' OR sqlstate = '0A000' THEN 'ERROR' ELSE 'SQLSTATE ' || sqlstate || ' ' || sqlerrm END;
        END $$
        """;

    public IReadOnlyList<SourceColumn> Columns { get; } = columns;

    /// <summary>Values that were compared.</summary>
    public int Compared { get; private set; }

    /// <summary>
    /// Errors that PostgreSQL did not raise, because its planner takes an operator away whose other operand is a constant NULL. No rule says
    /// when it does; the row then goes to quarantine, which is the safe side. And those that it raises for every row while it plans, of a
    /// constant that no row comes to: such a declaration cannot be compared, which is said. Never so in a declared expression.
    /// </summary>
    public int PlannedAway { get; private set; }

    /// <param name="types">Name, PostgreSQL's type, declared type and values of each column; rows take the values in turns.</param>
    public static async Task<OracleTable> CreateAsync(
        TestDatabase engine,
        params (string Name, string Type, SourceType Declared, string?[] Values)[] types
    )
    {
        var count = types.Max(t => t.Values.Length);
        await engine.ExecuteAsync(
            $"CREATE TABLE nasty (n int, {string.Join(", ", types.Select(t => $"{t.Name} {t.Type}"))})",
            TestContext.Current.CancellationToken
        );
        await engine.ExecuteAsync(OracleFunction, TestContext.Current.CancellationToken);
        await using var connection = await engine.DataSource.OpenConnectionAsync();
        for (var i = 0; i < count; i++)
        {
            // Each column goes round at its own pace, so that values meet in different company.
            var row = types.Select((t, column) => t.Values[(i + i / t.Values.Length * (column + 1)) % t.Values.Length]).ToArray();
            await using var insert = new NpgsqlCommand(
                $"INSERT INTO nasty SELECT {i}, {string.Join(", ", types.Select((t, c) => $"${c + 1}::text::{t.Type}"))}",
                connection
            );
            foreach (var value in row)
                insert.Parameters.Add(
                    new NpgsqlParameter { NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text, Value = (object?)value ?? DBNull.Value }
                );
            await insert.ExecuteNonQueryAsync();
        }
        var columns = types.Select((t, slot) => new SourceColumn(slot, t.Name, t.Declared)).ToList();
        var rows = await CopiedTable.ReadAsync(connection, $"SELECT {string.Join(", ", types.Select(t => t.Name))} FROM nasty ORDER BY n");
        return new OracleTable(engine, columns, await CopiedTable.SchemaAsync(connection, "nasty", columns), rows);
    }

    /// <summary>An expression by itself, without a column that it is for.</summary>
    /// <exception cref="ExpressionException">It is refused.</exception>
    public Node Compiled(string expression)
    {
        var node = new Binder(Columns).Bind(Parser.Parse(expression));
        return node is UntypedNode untyped ? Literals.Typed(untyped.Text, SqlType.Text)! : node;
    }

    /// <summary>Null if C# and PostgreSQL agree on every row; else what differs.</summary>
    public async Task<string?> DifferenceAsync(string expression)
    {
        var node = Compiled(expression);
        var expected = await engine.RowsAsync(
            $"SELECT oracle({Sql.Literal(Canonical(expression, node.Type.Family))}, n) FROM nasty ORDER BY n",
            "NULL",
            TestContext.Current.CancellationToken
        );
        var failsInPlanning = expected.All(e => e == DataError) && await FailsInPlanningAsync(expression);
        var row = new SourceRow(Columns.Count);
        for (var i = 0; i < rows.Count; i++)
        {
            row.Read(rows[i], schema);
            var actual = Evaluate(node, row);
            Compared++;
            if (actual == expected[i])
                continue;
            if (actual == DataError && !expected[i].StartsWith("SQLSTATE", StringComparison.Ordinal) || failsInPlanning)
            {
                PlannedAway++;
                continue;
            }
            var source = await engine.RowsAsync(
                $"SELECT to_json(nasty) FROM nasty WHERE n = {i}",
                "NULL",
                TestContext.Current.CancellationToken
            );
            return $"{expression}\n  PostgreSQL: {expected[i]}\n  C#:         {actual}\n  row: {source[0]}";
        }
        return null;
    }

    private async Task<bool> FailsInPlanningAsync(string expression)
    {
        try
        {
            await engine.ExecuteAsync($"EXPLAIN SELECT {expression} FROM nasty", TestContext.Current.CancellationToken);
            return false;
        }
        catch (PostgresException e) when (e.SqlState.StartsWith("22", StringComparison.Ordinal))
        {
            return true;
        }
    }

    /// <summary>Texts that are equal only if the values are, bit for bit.</summary>
    private static string Canonical(string expression, SqlFamily family) =>
        family switch
        {
            SqlFamily.Float =>
                $"CASE WHEN ({expression})::float8 = 'NaN' THEN 'NaN' ELSE encode(float8send(({expression})::float8), 'hex') END",
            SqlFamily.Timestamp => $"encode(timestamp_send({expression}), 'hex')",
            SqlFamily.TimestampTz => $"encode(timestamptz_send({expression}), 'hex')",
            SqlFamily.Date => $"encode(date_send({expression}), 'hex')",
            _ => $"({expression})::text",
        };

    private static string Evaluate(Node node, SourceRow row)
    {
        try
        {
            return node switch
            {
                Node<bool> n => n.TryGet(row, out var v)
                    ? v
                        ? "true"
                        : "false"
                    : "NULL",
                Node<long> { Type.Family: SqlFamily.Integer } n => n.TryGet(row, out var v)
                    ? v.ToString(CultureInfo.InvariantCulture)
                    : "NULL",
                Node<long> { Type.Family: SqlFamily.Date } n => n.TryGet(row, out var v)
                    ? ((int)v).ToString("x8", CultureInfo.InvariantCulture)
                    : "NULL",
                Node<long> n => n.TryGet(row, out var v) ? v.ToString("x16", CultureInfo.InvariantCulture) : "NULL",
                Node<double> n => n.TryGet(row, out var v)
                    ? double.IsNaN(v)
                        ? "NaN"
                        : BitConverter.DoubleToInt64Bits(v).ToString("x16", CultureInfo.InvariantCulture)
                    : "NULL",
                Node<SqlNumeric> n => n.TryGet(row, out var v) ? v.ToString() : "NULL",
                Node<ReadOnlySpan<byte>> n => n.TryGet(row, out var v) ? Encoding.UTF8.GetString(v) : "NULL",
                _ => throw new InvalidOperationException($"No value is read from {node.GetType()}."),
            };
        }
        catch (EvaluationException)
        {
            return DataError;
        }
    }
}
