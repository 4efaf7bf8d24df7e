using System.Text;
using Cdc.Core.Entities;
using Cdc.Reconcile;
using Cdc.Reconcile.Runs;
using Cdc.Tests.Integration.Pipeline.Histories;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline;

/// <summary>Tables with keys of text, of uuid, and of three columns with a bigint are followed as every other, over either log.</summary>
public sealed class KeysByAHashTests(TestServers servers, TestKafka kafka)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Rows_are_loaded_in_chunks_followed_moved_from_key_to_key_and_truncated(bool overKafka)
    {
        await using var either = await StartAsync(overKafka);
        var bed = either.Bed;
        Assert.True(await bed.ReadingsAsync("route", Ct) > 9, "it was loaded in one piece");
        string[] changes =
        [
            "UPDATE voucher SET version = version + 1; UPDATE token SET version = 7 WHERE version = 3; UPDATE route SET note = 'other'",
            // What collations may take for equal, and what is written as what separates.
            "DELETE FROM voucher WHERE code = 'A'; UPDATE voucher SET code = 'A' WHERE code = 'a'; UPDATE route SET name = name || ',!' WHERE number = 0",
            "UPDATE token SET uid = md5('other' || uid)::uuid WHERE version < 9",
            // Two rows change places.
            "UPDATE voucher SET code = 'x' WHERE code = 'code-1'; UPDATE voucher SET code = 'code-1' WHERE code = 'code-2'; UPDATE voucher SET code = 'code-2' WHERE code = 'x'",
            "DELETE FROM route WHERE name = ','; DELETE FROM token WHERE version > 40; DELETE FROM voucher WHERE code = ''",
            // A transaction that is large beside what is remembered of it.
            "INSERT INTO route SELECT i, 'large', i, md5(i::text)::uuid, repeat('x', 3000) FROM generate_series(1, 300) i",
            "UPDATE route SET version = -version WHERE name = 'large'",
            "TRUNCATE voucher, token, route; INSERT INTO voucher VALUES ('again', 1, 'n'); INSERT INTO route VALUES (1, 'a', 1, md5('1')::uuid, 'again')",
        ];
        foreach (var change in changes)
        {
            await bed.Source.ExecuteAsync($"BEGIN; {change}; COMMIT", Ct);
            await bed.CaughtUpAsync(Ct);
            await bed.AssertEqualAsync(Ct);
        }
        Assert.Equal(["again|n"], await bed.Engine.RowsAsync("SELECT code, note FROM vouchers", Ct));
        Assert.Equal(["1|a"], await bed.Engine.RowsAsync("SELECT number, name FROM routes", Ct));
    }

    /// <summary>Of a large key PostgreSQL does not send what an UPDATE has not touched; the old key comes then.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_key_that_is_stored_out_of_line_is_known_in_every_change(bool overKafka)
    {
        await using var either = await StartAsync(overKafka, "ALTER TABLE voucher ALTER code SET STORAGE EXTERNAL;");
        var bed = either.Bed;
        await bed.Source.ExecuteAsync(
            "INSERT INTO voucher SELECT repeat('k', 2600) || i, i, repeat('n', 3000) FROM generate_series(1, 3) i",
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        await bed.Source.ExecuteAsync("UPDATE voucher SET version = 10 * version WHERE code LIKE 'kkk%'", Ct);
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        await bed.Source.ExecuteAsync(
            "UPDATE voucher SET code = code || '!' WHERE version = 20; DELETE FROM voucher WHERE version = 30",
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        Assert.Equal(["10", "20"], await bed.Engine.RowsAsync("SELECT version FROM vouchers WHERE code LIKE 'kkk%' ORDER BY version", Ct));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_deleted_in_a_gap_goes_when_the_table_is_read_again(bool overKafka)
    {
        await using var either = await StartAsync(overKafka);
        var bed = either.Bed;
        await either.StopAsync();
        await bed.Source.ExecuteAsync(
            """
            SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database();
            DELETE FROM voucher WHERE code IN ('', ',', 'code-7'); DELETE FROM token WHERE version = 9; DELETE FROM route WHERE number = 0 AND name LIKE 'a%';
            UPDATE voucher SET code = 'moved' WHERE code = 'code-8'; INSERT INTO token VALUES (md5('new')::uuid, 1, 'new')
            """,
            Ct
        );
        bed.SourceOptions = bed.SourceOptions with { AcceptGaps = true };
        either.Start();
        await bed.EqualByItselfAsync(Ct);
        Assert.Empty(await bed.Engine.RowsAsync("SELECT code FROM vouchers WHERE code IN ('', ',', 'code-7', 'code-8')", Ct));
        // What is gone is not kept as met; what the topics were owed stays until the next reading.
        if (overKafka)
            return;
        await Eventually.True(
            "each key that was met has a row",
            async () =>
                await bed.Engine.ScalarAsync<string>(
                    "SELECT count(*)::text FROM cdc.source_keys k WHERE k.entity = 'voucher' AND NOT EXISTS (SELECT FROM vouchers v WHERE v.id = k.key)",
                    Ct
                ) == "0",
            ct: Ct
        );
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_row_that_breaks_a_rule_waits_by_its_key_and_is_looked_at_and_tried_again_by_its_text(bool overKafka)
    {
        await using var either = await StartAsync(overKafka);
        var bed = either.Bed;
        await bed.Source.ExecuteAsync("UPDATE voucher SET version = -1 WHERE code IN ('a,b', 'code-3', 'code-4')", Ct);
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        Assert.Equal(3, (await bed.EntriesAsync(Ct)).Count);
        Assert.Contains("is in quarantine", await bed.CommandAsync(Ct, "quarantine", "show", "voucher", "a,b"), StringComparison.Ordinal);
        Assert.Contains(
            "1 entries discarded",
            await bed.CommandAsync(Ct, "quarantine", "discard", "voucher", "code-3", "--yes"),
            StringComparison.Ordinal
        );
        // Of a table with ids a text is none.
        var (code, said) = await CdcProcess.RunAsync(["quarantine", "show", "card", "abc"], bed.Environment(), Ct);
        Assert.Equal(2, code);
        Assert.Contains("'abc' is not a key", said, StringComparison.Ordinal);
        // As it is shown.
        await bed.CommandAsync(Ct, "quarantine", "retry", "voucher", KeyHash.Shown(Number("code-4")));
        await Eventually.True(
            "the row was tried again",
            async () => await bed.Engine.ScalarAsync<int>("SELECT max(attempts) FROM cdc.quarantine", Ct) == 2,
            async () => string.Join("; ", await bed.Engine.RowsAsync("SELECT key, attempts FROM cdc.quarantine", Ct)),
            ct: Ct
        );
        await bed.Source.ExecuteAsync("UPDATE voucher SET version = 1 WHERE version < 0", Ct);
        await bed.CaughtUpAsync(Ct);
        await bed.NoneQuarantinedAsync(Ct);
        await bed.AssertEqualAsync(Ct);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_comparison_finds_each_difference_by_its_key_and_a_repair_ends_it(bool overKafka)
    {
        await using var either = await StartAsync(overKafka);
        var bed = either.Bed;
        var request = new RunRequest(RunKind.Full, [.. HashedTables.Entities.All.Where(e => e.HashedKey is not null)]);
        Assert.Equal("consistent", (await bed.ReconcileAsync(request, Ct)).Run.Verdict);
        await bed.Engine.ExecuteAsync(
            $"""
            UPDATE vouchers SET note = 'damaged' WHERE code = 'code-5';
            DELETE FROM tokens WHERE version IN (3, 4);
            INSERT INTO vouchers (id, code) VALUES ({Number("nowhere")}, 'nowhere')
            """,
            Ct
        );
        var report = await bed.ReconcileAsync(request, Ct);
        Assert.Equal(["token missing", "token missing", "voucher differing", "voucher extra"], Kinds(report.Drift));
        var output = await bed.CommandAsync(Ct, "reconcile", "voucher", "token", "--repair", "--yes");
        Assert.Contains("4 keys are equal now, 0 still differ", output, StringComparison.Ordinal);
        await bed.AssertEqualAsync(Ct);
    }

    /// <summary>
    /// Another key of the same number, as if the engine had met it: nobody has found two texts whose hashes begin alike so far. When all is read
    /// again, what is not there any more is forgotten.
    /// </summary>
    [Theory]
    [InlineData("UPDATE voucher SET note = 'other' WHERE code = 'code-9'", false)]
    [InlineData("DELETE FROM voucher WHERE code = 'code-9'", false)]
    [InlineData("UPDATE voucher SET code = 'code-99' WHERE code = 'code-9'", true)]
    public async Task Two_keys_of_one_hash_stop_their_table_alone_until_one_is_gone(string change, bool overKafka)
    {
        await using var either = await StartAsync(overKafka);
        var bed = either.Bed;
        await bed.Engine.ExecuteAsync($"UPDATE cdc.source_keys SET spelled = 'another' WHERE key = {Number("code-9")}", Ct);
        await bed.Source.ExecuteAsync($"{change}; UPDATE token SET note = 'n'", Ct);
        const string Reason = "have the hash";
        if (overKafka)
        {
            // The process that reads hears of it when it starts again.
            Assert.Contains(Reason, await bed.StoppedAsync("voucher", Ct), StringComparison.Ordinal);
            await bed.OthersEqualAsync("voucher", Ct);
            await either.StopAsync();
            either.Start();
        }
        else
            await Eventually.True("it stopped", () => bed.Log.Lines.Any(l => l.Contains(Reason, StringComparison.Ordinal)), ct: Ct);
        await bed.EqualByItselfAsync(Ct);
    }

    private static IEnumerable<string> Kinds(IEnumerable<Cdc.Reconcile.Reports.ReportedDrift> drift) =>
        drift.DistinctBy(d => (d.Entity, d.Key)).Select(d => $"{d.Entity} {d.Kind}").Order(StringComparer.Ordinal);

    private static long Number(string key) => KeyHash.Number(Encoding.UTF8.GetBytes(key));

    /// <summary>Loaded and equal, in chunks of a few rows.</summary>
    private async Task<EitherLogBed> StartAsync(bool overKafka, string sourceSql = "")
    {
        var either = await EitherLogBed.CreateAsync(servers, kafka, overKafka, Ct, HashedTables.Entities);
        either.UseAvro();
        var bed = either.Bed;
        bed.Declaration = HashedTables.Path;
        bed.SnapshotOptions = bed.SnapshotOptions with { ChunkRows = 7 };
        bed.SourceOptions = bed.SourceOptions with { RememberedKeys = 50 };
        await bed.Source.ExecuteAsync(Tills.Setup + HashedTables.Setup + sourceSql, Ct);
        await bed.Source.ExecuteAsync(HashedTables.Fill, Ct);
        await bed.FillAsync(Ct, cards: 5);
        await Tills.CreateEngineTableAsync(bed, Ct);
        await HashedTables.CreateEngineTablesAsync(bed, Ct);
        either.Start();
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        return either;
    }
}
