using Cdc.Workload;
using Npgsql;

namespace Cdc.Bench.Measure;

/// <summary>Odoo's database: its first rows, and the changes that are measured.</summary>
internal sealed class OdooSource(BenchDatabase database, MeasureSizes sizes)
{
    public const string CardTable = "public.loyalty_card";
    public const string HistoryTable = "public.loyalty_point_history";

    // What one order does: the card's points and a line of history, committed by itself. 7919 is prime to every number of cards used
    // here, so that orders go round all cards without following the order of their ids.
    private const string Procedure = """
        CREATE PROCEDURE bench_orders(first integer, last integer, cards integer) LANGUAGE plpgsql AS $$
        DECLARE
            card integer;
        BEGIN
            FOR history IN first .. last LOOP
                card := 1 + (history::bigint * 7919 % cards)::integer;
                UPDATE loyalty_card SET points = points + 1, write_date = now() AT TIME ZONE 'UTC' WHERE id = card;
                INSERT INTO loyalty_point_history (id, loyalty_card_id, origin, transaction_time, create_date, write_date, points_amount, points_balance)
                VALUES (history, card, 'Shop/' || history, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC', 1, 1);
                COMMIT;
            END LOOP;
        END
        $$
        """;

    private int _bulks;

    public BenchDatabase Database => database;

    public int Cards => sizes.Cards;

    /// <summary>SQL that gives history the key with which it is declared.</summary>
    public IReadOnlyList<string> HistoryKey { get; init; } = [];

    /// <summary>Whose row an order writes.</summary>
    public int CardOf(int history) => 1 + (int)((long)history * 7919 % sizes.Cards);

    /// <summary>The highest id of a history row that was ever given out.</summary>
    public int LastHistory { get; private set; }

    public async Task SeedAsync(CancellationToken ct)
    {
        await using var generator = new WorkloadGenerator(
            new WorkloadOptions
            {
                ConnectionString = database.ConnectionString,
                CreateTables = true,
                Initial = new InitialRows
                {
                    Programs = 5,
                    Cards = sizes.Cards,
                    History = sizes.History,
                },
            }
        );
        await generator.PrepareAsync(ct);
        await database.ExecuteAsync(ct, [Procedure, .. HistoryKey]);
        LastHistory = sizes.History;
        await RestAsync(ct);
    }

    /// <summary>Ids of history rows that the caller will write.</summary>
    public int TakeHistory(int count)
    {
        var first = LastHistory + 1;
        LastHistory += count;
        return first;
    }

    /// <summary>Orders, each a transaction of two rows.</summary>
    public async Task<Backlog> WriteOrdersAsync(int transactions, CancellationToken ct)
    {
        var first = TakeHistory(transactions);
        await WriteAsync([$"CALL bench_orders({first}, {LastHistory}, {sizes.Cards})"], ct);
        return new OrderBacklog(first, LastHistory, await EndAsync(ct));
    }

    /// <summary>One transaction that updates every card.</summary>
    public async Task<Backlog> WriteBulkAsync(CancellationToken ct)
    {
        var points = 100_000 + _bulks++;
        await WriteAsync([$"UPDATE loyalty_card SET points = {points}, write_date = now() AT TIME ZONE 'UTC'"], ct);
        return new BulkBacklog(sizes.Cards, sizes.Cards, points, await EndAsync(ct));
    }

    /// <summary>One transaction that updates every card and inserts history, of so many rows in all.</summary>
    public async Task<Backlog> WriteHugeAsync(int rows, CancellationToken ct)
    {
        var first = TakeHistory(rows - sizes.Cards);
        await WriteAsync(
            [
                "BEGIN",
                "UPDATE loyalty_card SET points = points + 1, write_date = now() AT TIME ZONE 'UTC'",
                $"""
                INSERT INTO loyalty_point_history (id, loyalty_card_id, origin, transaction_time, create_date, write_date, points_amount, points_balance)
                SELECT g, 1 + (g::bigint * 7919 % {sizes.Cards})::integer, 'Shop/' || g, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC', 1, 1
                FROM generate_series({first}, {LastHistory}) g
                """,
                "COMMIT",
            ],
            ct
        );
        return new OrderBacklog(first, LastHistory, await EndAsync(ct)) { Rows = rows };
    }

    /// <summary>As after a good night: nothing to clean, nothing dirty.</summary>
    public Task RestAsync(CancellationToken ct) => database.ExecuteAsync(ct, $"VACUUM (ANALYZE) {CardTable}, {HistoryTable}", "CHECKPOINT");

    public async Task<bool> HasSlotAsync(string slot, CancellationToken ct) =>
        await database.ScalarAsync<bool>($"SELECT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '{slot}')", ct);

    /// <summary>Waits until the slot is in use (or, for false, free), and returns that moment.</summary>
    public async Task<long> UntilSlotAsync(string slot, bool active, Action guard, CancellationToken ct)
    {
        await using var probe = await Probe.OpenAsync(
            database,
            $"SELECT coalesce((SELECT active FROM pg_replication_slots WHERE slot_name = '{slot}'), false)",
            ct
        );
        return await probe.UntilAsync<bool>(now => now == active, guard, ct);
    }

    public async Task DropSlotAsync(string slot, CancellationToken ct) =>
        await database.ScalarAsync<long>(
            $"SELECT count(pg_drop_replication_slot(slot_name)) FROM pg_replication_slots WHERE slot_name = '{slot}'",
            ct
        );

    private async Task WriteAsync(IReadOnlyList<string> statements, CancellationToken ct)
    {
        // Written fast, and with the same WAL: foreign keys hold by construction, and nothing waits for the flush.
        await database.ExecuteAsync(ct, ["SET synchronous_commit = off", "SET session_replication_role = replica", .. statements]);
    }

    /// <summary>A walsender sends flushed WAL only: everything is, when this returns. The end of the WAL.</summary>
    private async Task<string> EndAsync(CancellationToken ct)
    {
        await database.ExecuteAsync(ct, "CHECKPOINT");
        return await database.ScalarAsync<string>("SELECT pg_current_wal_flush_lsn()::text", ct);
    }
}
