using Cdc.Core.Postgres;
using Cdc.Reconcile.Tables;
using Npgsql;

namespace Cdc.Reconcile.Comparing;

/// <param name="Hash">Sum of the rows' hashes, exact, as text. Null: some row of the span has a value that cannot be computed.</param>
internal sealed record SpanSum(long Rows, string? Hash);

/// <summary>
/// Asks one side within its snapshot. A value that cannot be computed (a cast that fails, a NaN where there is money) fails a whole
/// statement: it is asked again in ever smaller parts, until the row stands alone.
/// </summary>
/// <param name="leaveOut">Keys that are not compared.</param>
internal sealed class SideReader(NpgsqlConnection connection, SideSql sql, long[] leaveOut)
{
    /// <summary>More than these in one slice are no single rows any more.</summary>
    private const int MostBrokenRows = 200;

    /// <summary>
    /// Compiling takes some 50 ms, and saves a sixth to a third of the CPU of each row (0.08 to 0.15 microseconds, seen).
    /// </summary>
    private const int RowsWorthCompiling = 500_000;

    // The planner does not know how many rows the spans have. What hashes is not inlined, nor are rows taken apart by compiled code: each
    // costs more than it saves.
    private const string Compile =
        "SET LOCAL jit = on; SET LOCAL jit_above_cost = 0; SET LOCAL jit_optimize_above_cost = 0; SET LOCAL jit_inline_above_cost = -1; SET LOCAL jit_tuple_deforming = off";
    private const string DoNotCompile = "SET LOCAL jit = off";

    /// <summary>Stands for a value that the server cannot compute.</summary>
    public const string NotComputable = "(cannot be computed)";

    private int _broken;

    /// <summary>One for each span, in their order.</summary>
    /// <param name="rows">Expected in all of them.</param>
    public async Task<IReadOnlyList<SpanSum>> SumsAsync(IReadOnlyList<KeySpan> spans, double rows, CancellationToken ct)
    {
        var sums = new SpanSum[spans.Count];
        var isCompiled = rows >= RowsWorthCompiling;
        if (isCompiled)
            await ExecuteAsync(Compile, ct);
        await SumsAsync(spans, 0, spans.Count, sums, ct);
        if (isCompiled)
            await ExecuteAsync(DoNotCompile, ct);
        return sums;
    }

    /// <summary>Of every row of the spans; a null hash cannot be computed.</summary>
    public async Task<Dictionary<long, long?>> HashesAsync(IReadOnlyList<KeySpan> spans, CancellationToken ct)
    {
        var hashes = new Dictionary<long, long?>();
        await HashesAsync(spans, hashes, ct);
        return hashes;
    }

    /// <summary>The values of the columns as text, by key.</summary>
    public async Task<Dictionary<long, string?[]>> ValuesAsync(long[] keys, CancellationToken ct)
    {
        var values = new Dictionary<long, string?[]>();
        await ValuesAsync(keys, values, ct);
        return values;
    }

    /// <summary>Sums of money by program and company; null if some value is no amount of money.</summary>
    /// <param name="parents">Parents that are not compared; null: rows are not summed by their parents.</param>
    public async Task<Dictionary<(long? Program, long? Company), decimal[]>?> TotalsAsync(
        string text,
        IReadOnlyList<KeySpan> spans,
        ExceptionKeys? parents,
        CancellationToken ct
    )
    {
        var totals = new Dictionary<(long?, long?), decimal[]>();
        object[] parent = parents is null
            ? []
            : [parents.All, parents.Loading.Select(l => l.Low).ToArray(), parents.Loading.Select(l => l.High).ToArray()];
        var command = Command(text, [spans.Select(s => s.Low).ToArray(), spans.Select(s => s.High).ToArray(), leaveOut, .. parent]);
        return await TryAsync(
            command,
            row => totals[(Number(row, 0), Number(row, 1))] = [.. Enumerable.Range(2, row.FieldCount - 2).Select(row.GetDecimal)],
            ct
        )
            ? totals
            : null;
    }

    public async Task<long> CountAsync(IReadOnlyList<KeySpan> spans, CancellationToken ct)
    {
        if (spans.Count == 0)
            return 0;
        var command = Command(sql.Count, spans.Select(s => s.Low).ToArray(), spans.Select(s => s.High).ToArray());
        return await TableAccess.ReadAsync(sql.Server, sql.Entity, () => command.ScalarAsync<long>(ct));
    }

    private async Task SumsAsync(IReadOnlyList<KeySpan> spans, int from, int to, SpanSum[] sums, CancellationToken ct)
    {
        if (from == to)
            return;
        if (
            await TryAsync(
                Spans(sql.Sums(leaveOut.Length > 0), spans.Skip(from).Take(to - from)),
                row => sums[from + row.GetInt64(0) - 1] = new SpanSum(row.GetInt64(1), row.GetString(2)),
                ct
            )
        )
            return;
        if (to - from == 1)
        {
            sums[from] = new SpanSum(0, null);
            return;
        }
        var middle = from + (to - from) / 2;
        await SumsAsync(spans, from, middle, sums, ct);
        await SumsAsync(spans, middle, to, sums, ct);
    }

    private async Task HashesAsync(IReadOnlyList<KeySpan> spans, Dictionary<long, long?> hashes, CancellationToken ct)
    {
        if (spans.Count == 0)
            return;
        var read = new List<(long, long)>();
        if (await TryAsync(Spans(sql.Hashes(leaveOut.Length > 0), spans), row => read.Add((row.GetInt64(0), row.GetInt64(1))), ct))
        {
            foreach (var (key, hash) in read)
                hashes[key] = hash;
            return;
        }
        if (spans is [{ Width: var width } only])
        {
            if (width == 1)
                AddBroken(only.Low, hashes);
            else
                await HashesAsync([.. only.Split(2)], hashes, ct);
            return;
        }
        await HashesAsync([.. spans.Take(spans.Count / 2)], hashes, ct);
        await HashesAsync([.. spans.Skip(spans.Count / 2)], hashes, ct);
    }

    private void AddBroken(long key, Dictionary<long, long?> hashes)
    {
        if (++_broken > MostBrokenRows)
            throw new SliceException($"more than {MostBrokenRows} rows have values that cannot be computed");
        hashes[key] = null;
    }

    private async Task ValuesAsync(long[] keys, Dictionary<long, string?[]> values, CancellationToken ct)
    {
        var read = new List<(long, string?[])>();
        if (await TryAsync(Command(sql.Values, keys), row => read.Add((row.GetInt64(0), Texts(row))), ct))
            foreach (var (key, texts) in read)
                values[key] = texts;
        else if (keys.Length == 1)
            await ColumnsAsync(keys[0], values, ct);
        else
            foreach (var key in keys)
                await ValuesAsync([key], values, ct);
    }

    private async Task ColumnsAsync(long key, Dictionary<long, string?[]> values, CancellationToken ct)
    {
        var exists = false;
        await TryAsync(Command(sql.Exists, key), row => exists = row.GetBoolean(0), ct);
        if (!exists)
            return;
        var texts = new string?[sql.Columns];
        for (var i = 0; i < texts.Length; i++)
            if (!await TryAsync(Command(sql.Value(i), key), row => texts[i] = Text(row, 0), ct))
                texts[i] = NotComputable;
        values[key] = texts;
    }

    /// <summary>False if a value could not be computed; the snapshot goes on.</summary>
    private async Task<bool> TryAsync(NpgsqlCommand command, Action<NpgsqlDataReader> read, CancellationToken ct)
    {
        await using var _ = command;
        await ExecuteAsync("SAVEPOINT cdc_side", ct);
        try
        {
            await using (var reader = await command.ExecuteReaderAsync(ct))
                while (await reader.ReadAsync(ct))
                    read(reader);
            await ExecuteAsync("RELEASE SAVEPOINT cdc_side", ct);
            return true;
        }
        catch (PostgresException e) when (IsOfValue(e))
        {
            await ExecuteAsync("ROLLBACK TO SAVEPOINT cdc_side; RELEASE SAVEPOINT cdc_side", ct);
            return false;
        }
        catch (PostgresException e) when (TableAccess.IsOfTable(e))
        {
            throw TableException.Of(sql.Server, sql.Entity, e);
        }
    }

    /// <summary>Class 22 is data; 0A000 is how a cast of NaN to an integer fails.</summary>
    private static bool IsOfValue(PostgresException e) =>
        e.SqlState.StartsWith("22", StringComparison.Ordinal) || e.SqlState == PostgresErrorCodes.FeatureNotSupported;

    private NpgsqlCommand Spans(string text, IEnumerable<KeySpan> spans)
    {
        var list = spans.ToList();
        var command = Command(text, list.Select(s => s.Low).ToArray(), list.Select(s => s.High).ToArray());
        if (leaveOut.Length > 0)
            command.Parameters.Add(new NpgsqlParameter { Value = leaveOut });
        return command;
    }

    private NpgsqlCommand Command(string text, params object[] values)
    {
        // The server's statement_timeout is the bound.
        var command = new NpgsqlCommand(text, connection) { CommandTimeout = 0 };
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return command;
    }

    private async Task ExecuteAsync(string text, CancellationToken ct)
    {
        await using var command = Command(text);
        await command.ExecuteNonQueryAsync(ct);
    }

    private static string?[] Texts(NpgsqlDataReader row) => [.. Enumerable.Range(1, row.FieldCount - 1).Select(i => Text(row, i))];

    private static long? Number(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
