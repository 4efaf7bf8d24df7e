using Cdc.Capture.Snapshot;
using Cdc.Capture.Source;
using Cdc.Core.Entities;
using Cdc.Core.Snapshots;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline;

/// <summary>What changes rows in Odoo and sends no event for them.</summary>
public sealed class SilentChangesTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_table_rewritten_by_ALTER_TYPE_USING_is_read_again()
    {
        await using var bed = await LoadedAsync();
        await bed.Source.ExecuteAsync("ALTER TABLE loyalty_card ALTER points TYPE double precision USING points * 2", Ct);
        await EngineShowsAsync(bed, "SELECT id, points FROM loyalty_cards ORDER BY id", "1|2.00", "2|4.00", "3|6.00");
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
    }

    [Fact]
    public async Task A_column_added_with_a_default_is_read_again()
    {
        await using var bed = await LoadedAsync();
        await bed.Source.ExecuteAsync(
            "BEGIN; ALTER TABLE loyalty_card DROP partner_id; ALTER TABLE loyalty_card ADD partner_id int DEFAULT 7; COMMIT",
            Ct
        );
        await EngineShowsAsync(bed, "SELECT id, partner_id FROM loyalty_cards ORDER BY id", "1|7", "2|7", "3|7");
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
    }

    [Fact]
    public async Task A_large_value_that_a_rewrite_changed_is_not_filled_in_from_before_it()
    {
        await using var bed = await LoadedAsync();
        await bed.Source.ExecuteAsync(
            $"INSERT INTO loyalty_point_move (id, loyalty_card_id, state, origin) VALUES (1, 1, 'active', {Large})",
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        await bed.Source.ExecuteAsync("ALTER TABLE loyalty_point_move ALTER origin TYPE varchar USING 'rewritten ' || origin", Ct);
        await bed.Source.ExecuteAsync("UPDATE loyalty_point_move SET remaining_point = 5", Ct);
        await EngineShowsAsync(bed, "SELECT remaining_point, left(origin, 9) FROM point_moves", "5.00|rewritten");
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
    }

    [Fact]
    public async Task Rows_from_before_a_rewrite_are_not_whole_however_far_the_stream_is_behind()
    {
        await using var bed = await LoadedAsync();
        var before = await EngineProgress.SourcePositionAsync(bed.Source.DataSource, Ct);
        await bed.Source.ExecuteAsync("ALTER TABLE loyalty_point_move ALTER origin TYPE varchar USING 'rewritten ' || origin", Ct);
        await EngineShowsAsync(bed, $"SELECT whole_lsn > '{before}' FROM cdc.tables WHERE entity = 'move'", "t");
    }

    [Fact]
    public async Task A_chunk_reads_what_a_truncate_left_that_was_under_way_when_it_began()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await bed.Source.ExecuteAsync(
            $"INSERT INTO loyalty_program (id, name) VALUES (1, 'old'); CREATE PUBLICATION {bed.SourceOptions.Publication} FOR ALL TABLES",
            Ct
        );
        await using var writer = await bed.Source.DataSource.OpenConnectionAsync(Ct);
        await ExecuteAsync(writer, "BEGIN; TRUNCATE loyalty_program CASCADE; INSERT INTO loyalty_program (id, name) VALUES (2, 'new')");
        await using var reader = new ChunkReader(
            bed.SourceOptions,
            bed.SnapshotOptions,
            bed.Entities,
            new Cdc.Engine.Snapshots.TableRegistry(bed.Entities, bed.Log)
        );
        SourceSnapshot? taken = null;

        var program = bed.Entities.All.Single(e => e.Name == "program");
        var reading = reader.ReadAsync(
            new ChunkJob(0, 1, program.Index, ChunkKind.Reread, KeyRange.All, new HashSet<long> { 1, 2 }),
            s => (taken = s) is not null,
            Ct
        );
        await Eventually.True(
            "the chunk waits for the table",
            () =>
                bed.Source.ScalarAsync<bool>(
                    "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'loyalty_program'::regclass)",
                    Ct
                ),
            ct: Ct
        );
        // An older snapshot would see the table as empty: everything in it would be swept.
        Assert.Null(taken);
        await ExecuteAsync(writer, "COMMIT");

        Assert.Equal([2L], (await reading)!.Rows.Rows.Select(r => r.Key));
    }

    [Fact]
    public async Task A_table_that_is_published_while_a_transaction_writes_to_it_is_read_when_that_has_ended()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        var all = bed.Entities;
        bed.Entities = new EntitySet([.. all.All.Where(e => e.Name != "program")]);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await using var writer = await bed.Source.DataSource.OpenConnectionAsync(Ct);
        await ExecuteAsync(writer, "BEGIN; INSERT INTO loyalty_program (id, name) VALUES (1, 'written before it was published')");

        bed.Entities = all;
        await bed.RestartInProcessAsync();
        await Eventually.True(
            "the chunk waits for the writer",
            () => bed.Log.Lines.Any(l => l.Contains("A chunk of program waits", StringComparison.Ordinal)),
            ct: Ct
        );
        Assert.True(
            await bed.Engine.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM cdc.chunks WHERE entity = 'program' AND state = 'pending')", Ct)
        );
        await ExecuteAsync(writer, "COMMIT");

        await bed.CaughtUpAsync(Ct);
        Assert.Equal(["1"], await bed.Engine.RowsAsync("SELECT id FROM promotion_programs", Ct));
        await bed.AssertEqualAsync(Ct);
    }

    [Fact]
    public async Task A_request_for_a_table_that_is_stopped_is_answered_when_the_table_can_be_read_again()
    {
        await using var bed = await LoadedAsync();
        await bed.Source.ExecuteAsync("ALTER TABLE loyalty_card RENAME partner_id TO partner", Ct);
        await EngineShowsAsync(bed, "SELECT state FROM cdc.tables WHERE entity = 'card'", "stopped");
        await bed.Engine.ExecuteAsync("INSERT INTO cdc.requests (kind, entity) VALUES ('snapshot', 'card')", Ct);
        await EngineShowsAsync(bed, "SELECT state FROM cdc.requests", "accepted");
        await bed.Source.ExecuteAsync("ALTER TABLE loyalty_card RENAME partner TO partner_id", Ct);
        await EngineShowsAsync(bed, "SELECT state FROM cdc.requests", "done");
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
    }

    private static string Large =>
        "'"
        + string.Concat(
            Enumerable
                .Range(0, 400)
                .Select(i => (i * 7919L * 104729L % 1_000_003).ToString("x8", System.Globalization.CultureInfo.InvariantCulture))
        )
        + "'";

    private async Task<PipelineBed> LoadedAsync()
    {
        var bed = await PipelineBed.CreateAsync(servers, Ct);
        await bed.Source.ExecuteAsync(
            "INSERT INTO loyalty_program (name) VALUES ('one'); INSERT INTO loyalty_card (program_id, code, points) SELECT 1, 'card ' || i, i FROM generate_series(1, 3) i",
            Ct
        );
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        return bed;
    }

    private static Task EngineShowsAsync(PipelineBed bed, string sql, params string[] rows) =>
        Eventually.True(
            $"the engine shows {string.Join(", ", rows)}",
            async () => rows.SequenceEqual(await bed.Engine.RowsAsync(sql, Ct)),
            async () => string.Join(", ", await bed.Engine.RowsAsync(sql, Ct)),
            ct: Ct
        );

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }
}
