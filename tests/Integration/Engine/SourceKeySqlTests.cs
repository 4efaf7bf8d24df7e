using Cdc.Core.Entities;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Engine;

/// <summary>What a key of two columns is in SQL, held to what it is here.</summary>
public sealed class SourceKeySqlTests(TestServers servers)
{
    private static readonly SourceKey Key = new("a", "b");
    private static readonly long[] Ends = [0, 1, 2, int.MaxValue - 1, int.MaxValue];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Numbers_ranges_and_lists_of_keys_are_the_same_in_PostgreSQL()
    {
        await using var database = await servers.Source.CreateDatabaseAsync("key", ct: Ct);
        var random = new Random(TestSeed.Draw());
        List<(long First, long Second)> pairs = [.. Ends.SelectMany(a => Ends.Select(b => (a, b)))];
        pairs.AddRange(Enumerable.Range(0, 100).Select(_ => (random.NextInt64(1L + int.MaxValue), random.NextInt64(1L + int.MaxValue))));
        var numbers = pairs.ConvertAll(p => KeyPair.Number(p.First, p.Second)!.Value);
        await database.ExecuteAsync(
            $"CREATE TABLE rel (a int, b int, PRIMARY KEY (a, b)); INSERT INTO rel VALUES {string.Join(", ", pairs.Distinct())}",
            Ct
        );
        Assert.Equal(
            numbers.Distinct().Order().Select(n => $"{n}"),
            await database.RowsAsync($"SELECT {Key.Number("r")} FROM rel r ORDER BY {Key.Order("r")}", Ct)
        );
        // Also ends that no pair has: those of everything that is compared.
        long[] bounds = [long.MinValue, EntityDeclaration.FirstEngineId, .. numbers.SelectMany(n => new[] { n - 1, n, n + 1 })];
        foreach (var bound in bounds.Distinct())
        {
            var asked = await database.RowsAsync(
                $"SELECT (SELECT count(*) FROM rel WHERE {Key.From($"'{bound}'::bigint")}), (SELECT count(*) FROM rel WHERE {Key.Below($"'{bound}'::bigint")}), (SELECT count(*) FROM rel WHERE {Key.Is($"'{bound}'::bigint")})",
                Ct
            );
            var known = numbers.Distinct().ToList();
            Assert.Equal(
                $"{known.Count(n => n >= bound)}|{known.Count(n => n < bound)}|{known.Count(n => n == bound)}",
                Assert.Single(asked)
            );
        }
        long[] some = [numbers[0], numbers[7], numbers[^1], 17];
        Assert.Equal(
            some[..3].Distinct().Order().Select(n => $"{n}"),
            await database.RowsAsync(
                $"SELECT {Key.Number()} FROM rel WHERE {Key.IsIn($"'{{{string.Join(',', some)}}}'::bigint[]")} ORDER BY a, b",
                Ct
            )
        );
    }

    /// <summary>What separates and escapes, what collations take for equal, and a text that is long.</summary>
    private const string Texts = """ARRAY['', ',', '\', '\,', 'a', 'A', 'ä', E'a\u0308', E'\n', ' a ', '漢字', '😀', repeat('x', 5000)]""";

    [Theory]
    [InlineData(null, Texts)]
    // Kept in other bytes.
    [InlineData("LATIN1", "ARRAY['', ',', '\\', 'a', 'ä', 'é', ' a ']")]
    public async Task A_hash_is_the_same_in_PostgreSQL_whatever_the_encoding(string? encoding, string texts)
    {
        await using var any = await servers.Source.CreateDatabaseAsync("key", ct: Ct);
        var server = new NpgsqlConnectionStringBuilder(any.ConnectionString) { Database = "postgres" }.ConnectionString;
        await using var database = await TestDatabase.CreateAsync("key", server, Ct, encoding: encoding);
        List<SourceColumn> columns = [new(0, "n", SourceType.Integer), new(1, "code", SourceType.Text), new(2, "uid", SourceType.Uuid)];
        await database.ExecuteAsync(
            $"CREATE TABLE k (n int8, code text, uid uuid); INSERT INTO k SELECT n, t, md5(t || n)::uuid FROM unnest({texts}) t, unnest(ARRAY[-9223372036854775808, -1, 0, 9223372036854775807]) n",
            Ct
        );
        foreach (
            var key in (SourceColumn[][])
                [
                    [columns[0]],
                    [columns[1]],
                    [columns[2]],
                    [.. columns],
                    [columns[1], columns[0]],
                ]
        )
        {
            var spelling = new KeySpelling(key);
            var sql = new SourceKey(key);
            var rows = await database.RowsAsync(
                $"SELECT {sql.Number("r")}, {string.Join(", ", key.Select(c => $"encode(convert_to({c.Name}::text, 'UTF8'), 'hex')"))} FROM k r ORDER BY {sql.Order("r")}",
                Ct
            );
            var numbers = new List<long>();
            foreach (var row in rows)
            {
                var parts = row.Split('|');
                spelling.Begin();
                foreach (var part in parts[1..])
                    spelling.AddText(Convert.FromHexString(part));
                numbers.Add(KeyHash.Number(spelling.End()));
                Assert.Equal(parts[0], $"{numbers[^1]}");
            }
            Assert.Equal(numbers.Order(), numbers);
            var middle = numbers[numbers.Count / 2];
            Assert.Equal(
                [$"{numbers.Count(n => n >= middle)}|{numbers.Count(n => n < middle)}|{numbers.Count(n => n == middle)}"],
                await database.RowsAsync(
                    $"SELECT count(*) FILTER (WHERE {sql.From($"'{middle}'::bigint")}), count(*) FILTER (WHERE {sql.Below($"'{middle}'::bigint")}), count(*) FILTER (WHERE {sql.IsIn($"'{{{middle},17}}'::bigint[]")}) FROM k",
                    Ct
                )
            );
        }
    }

    [Fact]
    public async Task A_range_is_read_by_the_index_on_both_columns()
    {
        await using var database = await servers.Source.CreateDatabaseAsync("key", ct: Ct);
        await database.ExecuteAsync(
            "CREATE TABLE rel (a int, b int, PRIMARY KEY (a, b)); INSERT INTO rel SELECT i / 100, i % 100 FROM generate_series(0, 50000) i; ANALYZE rel",
            Ct
        );
        var range = $"{Key.From($"'{KeyPair.Number(30, 5)}'::bigint")} AND {Key.Below($"'{KeyPair.Number(31, 5)}'::bigint")}";
        var plan = string.Join('\n', await database.RowsAsync($"EXPLAIN SELECT a, b FROM rel WHERE {range} ORDER BY a, b", Ct));
        Assert.Contains("Index Cond: ((ROW(a, b) >= ROW(", plan, StringComparison.Ordinal);
        Assert.DoesNotContain("Sort", plan, StringComparison.Ordinal);
    }
}
