using System.Globalization;
using Cdc.Capture.Stream;
using Cdc.Core.Changes;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Capture;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Capture;

/// <summary>Rows that meet at one key within a transaction: a reader that takes the last change of each key has what the table has.</summary>
public sealed class DeferredKeysTests(TestServers servers)
{
    private const string Table = """
        CREATE TABLE card (id int, code text, points float8, PRIMARY KEY (id) DEFERRABLE INITIALLY DEFERRED);
        ALTER TABLE card REPLICA IDENTITY FULL; INSERT INTO card SELECT i, 'c' || i, i FROM generate_series(1, 5) i;
        """;

    /// <summary>A replica identity of more than the key, which never has two equal rows.</summary>
    private const string WithIndex = """
        CREATE TABLE card (id int NOT NULL, code text NOT NULL, points float8, PRIMARY KEY (id) DEFERRABLE INITIALLY DEFERRED, UNIQUE (id, code));
        ALTER TABLE card REPLICA IDENTITY USING INDEX card_id_code_key; INSERT INTO card SELECT i, 'c' || i, i FROM generate_series(1, 5) i;
        """;
    private const string Card = "card: id integer, code text, points float";

    [Theory]
    [InlineData("UPDATE card SET id = id + 1")]
    [InlineData("UPDATE card SET id = id - 1")]
    [InlineData("UPDATE card SET id = 6 - id")]
    [InlineData("UPDATE card SET id = CASE id WHEN 2 THEN 3 WHEN 3 THEN 2 ELSE id END")]
    [InlineData("UPDATE card SET id = id % 5 + 1, points = points + 10")]
    [InlineData("UPDATE card SET id = id + 1; UPDATE card SET id = id + 1")]
    [InlineData("UPDATE card SET id = 3 WHERE id = 2; DELETE FROM card WHERE code = 'c3'")]
    [InlineData("DELETE FROM card WHERE id = 3; UPDATE card SET id = 3 WHERE id = 2")]
    [InlineData("INSERT INTO card VALUES (3, 'new', 0); UPDATE card SET points = 9 WHERE code = 'c3'; DELETE FROM card WHERE code = 'new'")]
    [InlineData("INSERT INTO card VALUES (3, 'new', 0); UPDATE card SET points = 9 WHERE code = 'c3'; DELETE FROM card WHERE code = 'c3'")]
    [InlineData("INSERT INTO card VALUES (3, 'c3', 3); DELETE FROM card WHERE ctid = (SELECT max(ctid) FROM card)")]
    [InlineData("INSERT INTO card VALUES (7, 'a', 0), (7, 'b', 0); DELETE FROM card WHERE code = 'b'")]
    [InlineData(
        "INSERT INTO card VALUES (7, 'a', 0), (7, 'b', 0), (7, 'c', 0); DELETE FROM card WHERE code IN ('a', 'c'); UPDATE card SET points = 1"
    )]
    public async Task The_last_change_of_each_key_is_the_row_that_the_table_has(string sql)
    {
        // The index allows no row that is equal to another.
        foreach (var setup in sql.Contains("'c3', 3)", StringComparison.Ordinal) ? [Table] : (string[])[Table, WithIndex])
        {
            await using var bed = await StreamTestBed.CreateAsync(servers, setup, Card);
            bed.Deferred = new DeferredKeys([0]);
            await bed.RunAsync($"BEGIN; {sql}; COMMIT");
            await AssertSameAsync(
                bed,
                await bed.ReadAllAsync(),
                mayAsk: sql.StartsWith("INSERT INTO card VALUES (3", StringComparison.Ordinal)
            );
        }
    }

    [Fact]
    public async Task A_row_that_came_and_left_leaves_a_key_that_is_to_be_read_again()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, Table, Card);
        bed.Deferred = new DeferredKeys([0]);
        await bed.RunAsync("BEGIN; UPDATE card SET id = 3 WHERE id = 2; UPDATE card SET id = 2 WHERE code = 'c2'; COMMIT");
        var seen = await bed.ReadAllAsync();
        Assert.Equal("update card 3@4 id=3 code=<unchanged> points=<unchanged>", seen.Changes[^2]);
        Assert.Equal("commit 4", seen.Lines[^2]);
        await AssertSameAsync(bed, seen, mayAsk: true);
    }

    [Fact]
    public async Task A_transaction_in_which_too_many_rows_came_and_some_left_has_its_table_read_again()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, Table, Card);
        bed.Deferred = new DeferredKeys([0], mostRows: 10);
        await bed.RunAsync("INSERT INTO card SELECT i, 'c' || i, i FROM generate_series(6, 40) i");
        Assert.DoesNotContain((await bed.ReadAllAsync()).Lines, l => l.StartsWith("resume", StringComparison.Ordinal));
        await bed.RunAsync("UPDATE card SET id = id + 1");
        Assert.Single((await bed.ReadAllAsync()).Lines, l => l.StartsWith("resume card", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_truncate_within_the_transaction_leaves_only_what_came_after_it()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, Table, Card);
        bed.Deferred = new DeferredKeys([0]);
        await bed.RunAsync(
            "BEGIN; UPDATE card SET id = id + 1; SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE card; SET CONSTRAINTS ALL DEFERRED; INSERT INTO card VALUES (2, 'x', 0), (3, 'y', 0); UPDATE card SET id = 5 - id; COMMIT"
        );
        await AssertSameAsync(bed, await bed.ReadAllAsync(), mayAsk: false);
    }

    [Fact]
    public async Task Random_transactions_end_with_the_row_of_each_key()
    {
        var seed = TestSeed.Draw();
        var random = new Random(seed);
        foreach (var setup in (string[])[Table, WithIndex])
        {
            await using var bed = await StreamTestBed.CreateAsync(servers, setup, Card);
            bed.Deferred = new DeferredKeys([0]);
            for (var i = 0; i < 150; i++)
                await bed.RunAsync(Transaction(random, i));
            try
            {
                await AssertSameAsync(bed, await bed.ReadAllAsync(), mayAsk: true);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"{TestSeed.Describe(seed)}: {e.Message}", e);
            }
        }
    }

    /// <summary>Some statements; where they leave two rows at a key it fails as a whole, which is ignored.</summary>
    private static string Transaction(Random random, int number)
    {
        int Key() => random.Next(1, 8);
        string Statement(int place) =>
            random.Next(7) switch
            {
                0 => $"UPDATE card SET id = id + {random.Next(-2, 3)} WHERE id BETWEEN {Key()} AND {Key()}",
                1 => $"UPDATE card SET id = {Key()} WHERE id = {Key()}",
                2 => $"UPDATE card SET id = CASE id WHEN {Key()} THEN {Key()} WHEN {Key()} THEN {Key()} ELSE id END",
                3 => $"INSERT INTO card VALUES ({Key()}, 'n{number}-{place}', {random.Next(3)})",
                4 => $"DELETE FROM card WHERE ctid = (SELECT ctid FROM card WHERE id = {Key()} ORDER BY random() LIMIT 1)",
                5 => $"UPDATE card SET points = points + 1 WHERE id = {Key()}",
                _ =>
                    $"DELETE FROM card c WHERE EXISTS (SELECT FROM card o WHERE o.id = c.id AND o.ctid {(random.Next(2) == 0 ? "<" : ">")} c.ctid)",
            };
        var statements = string.Concat(
            Enumerable.Range(0, random.Next(1, 6)).Select(i => string.Create(CultureInfo.InvariantCulture, $"{Statement(i)}; "))
        );
        return $"DO $$ BEGIN SET CONSTRAINTS ALL DEFERRED; {statements} SET CONSTRAINTS ALL IMMEDIATE; EXCEPTION WHEN unique_violation THEN NULL; END $$";
    }

    /// <param name="mayAsk">A key of which the stream does not say it may be left to a second reading.</param>
    private static async Task AssertSameAsync(StreamTestBed bed, StreamRecorder seen, bool mayAsk)
    {
        var rows = Enumerable.Range(1, 5).ToDictionary(i => (long)i, i => $"{i}|c{i}|{i}");
        var asked = new HashSet<long>();
        foreach (var change in seen.Events)
        {
            if (change is TruncateChange)
                (rows, asked) = ([], []);
            if (change is not RowChange row)
                continue;
            asked.Remove(row.Key);
            if (row.Kind == RowChangeKind.Delete)
                rows.Remove(row.Key);
            else if (Read(row) is { } text)
                rows[row.Key] = text;
            else
                asked.Add(row.Key);
        }
        Assert.True(mayAsk || asked.Count == 0, $"To be read again: {string.Join(' ', asked)}.");
        var table = await bed.Database.RowsAsync("SELECT id, code, points FROM card ORDER BY id", TestContext.Current.CancellationToken);
        Assert.Equal(
            table.Where(r => !asked.Contains(KeyOf(r))),
            rows.Where(r => !asked.Contains(r.Key)).OrderBy(r => r.Key).Select(r => r.Value)
        );
    }

    private static long KeyOf(string row) => long.Parse(row[..row.IndexOf('|', StringComparison.Ordinal)], CultureInfo.InvariantCulture);

    /// <summary>Null: not all of it is known.</summary>
    private static string? Read(RowChange change)
    {
        var row = new SourceRow(3);
        row.Read(change.Image, change.Schema);
        if (row.IsPartial)
            return null;
        var (code, points) = (
            System.Text.Encoding.UTF8.GetString(row.BytesOf(1)),
            System.Buffers.Binary.BinaryPrimitives.ReadDoubleBigEndian(row.BytesOf(2))
        );
        return string.Create(CultureInfo.InvariantCulture, $"{change.Key}|{code}|{points}");
    }
}
