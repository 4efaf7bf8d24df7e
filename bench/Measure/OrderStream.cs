using System.Diagnostics;
using Npgsql;

namespace Cdc.Bench.Measure;

/// <summary>
/// Orders at a fixed rate, each in its own transaction that waits for its flush. An open loop: an order that is late does not
/// put off those behind it.
/// </summary>
internal sealed class OrderStream(OdooSource source, OrderClock clock, double rate)
{
    // One session alone commits as often as the disk flushes; together they share flushes.
    private const int Sessions = 8;

    private const string UpdateSql = "UPDATE loyalty_card SET points = points + 1, write_date = now() AT TIME ZONE 'UTC' WHERE id = $1";
    private const string InsertSql = """
        INSERT INTO loyalty_point_history (id, loyalty_card_id, origin, transaction_time, create_date, write_date, points_amount, points_balance)
        VALUES ($1, $2, 'Shop', now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC', 1, 1)
        """;

    /// <summary>Returns when the last order is committed.</summary>
    public Task RunAsync(CancellationToken ct)
    {
        var start = Stopwatch.GetTimestamp() + Stopwatch.Frequency / 2;
        return Task.WhenAll(
            Enumerable
                .Range(0, Sessions)
                .Select(session =>
                    Task.Factory.StartNew(() => Run(session, start, ct), ct, TaskCreationOptions.LongRunning, TaskScheduler.Default)
                )
        );
    }

    private void Run(int session, long start, CancellationToken ct)
    {
        using var connection = new NpgsqlConnection(source.Database.ConnectionString);
        connection.Open();
        using var batch = Batch(connection);
        batch.Prepare();
        for (var order = session; order < clock.Orders; order += Sessions)
        {
            ct.ThrowIfCancellationRequested();
            Nap.Until(start + (long)(order / rate * Stopwatch.Frequency));
            Commit(batch, clock.FirstHistory + order);
            clock.Committed(order);
        }
    }

    /// <summary>Sent together, so one implicit transaction.</summary>
    private static NpgsqlBatch Batch(NpgsqlConnection connection) =>
        new(connection)
        {
            BatchCommands =
            {
                new(UpdateSql) { Parameters = { new NpgsqlParameter<int>() } },
                new(InsertSql) { Parameters = { new NpgsqlParameter<int>(), new NpgsqlParameter<int>() } },
            },
        };

    private void Commit(NpgsqlBatch batch, int history)
    {
        var card = source.CardOf(history);
        Set(batch, 0, 0, card);
        Set(batch, 1, 0, history);
        Set(batch, 1, 1, card);
        batch.ExecuteNonQuery();
    }

    private static void Set(NpgsqlBatch batch, int command, int parameter, int value) =>
        ((NpgsqlParameter<int>)batch.BatchCommands[command].Parameters[parameter]).TypedValue = value;
}
