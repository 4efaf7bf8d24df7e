using Cdc.Tests.Support.Postgres;
using Npgsql;

namespace Cdc.Tests.Integration.Pipeline.Histories;

/// <summary>
/// Looks at the engine again and again, as a reader of it could: no row may ever show an older state than it showed before, deleted rows
/// included, and while nothing is being read in chunks every account's points are its last balance.
/// </summary>
/// <param name="tills">They are followed.</param>
/// <param name="wholeTransactions">False over Kafka, where an account and its history are in partitions of their own.</param>
internal sealed class BackwardsWatch(TestDatabase engine, bool wholeTransactions, bool tills)
{
    private const string RowsSql = """
        SELECT 'card', id, points, source_generation, source_lsn - '0/0'::pg_lsn, source_ordinal FROM loyalty_cards
        UNION ALL SELECT 'move', id, remaining_point, source_generation, source_lsn - '0/0'::pg_lsn, source_ordinal FROM point_moves
        UNION ALL SELECT 'history', id, points_balance, source_generation, source_lsn - '0/0'::pg_lsn, source_ordinal FROM point_history
        """;

    private const string TillsSql =
        " UNION ALL SELECT 'till', id, version, source_generation, source_lsn - '0/0'::pg_lsn, source_ordinal FROM tills"
        + " UNION ALL SELECT 'voucher', id, version, source_generation, source_lsn - '0/0'::pg_lsn, source_ordinal FROM vouchers"
        + " UNION ALL SELECT 'route', id, version, source_generation, source_lsn - '0/0'::pg_lsn, source_ordinal FROM routes";

    private const string AccountsSql = $"""
        SELECT format('account %s has %s points, its last balance is %s', c.id, c.points, h.points_balance)
        FROM loyalty_cards c
        JOIN LATERAL (SELECT points_balance FROM point_history h WHERE h.loyalty_card_id = c.id ORDER BY h.id DESC LIMIT 1) h ON true
        WHERE c.id >= 101 AND c.points <> h.points_balance AND NOT EXISTS (SELECT FROM cdc.tables WHERE state <> 'streaming')
          AND NOT EXISTS (SELECT FROM cdc.chunks WHERE state = 'pending')
        """;

    private readonly record struct State(int Generation, decimal Lsn, long Ordinal, decimal Version)
    {
        public bool IsBefore(State other) =>
            (Generation, Lsn, Ordinal).CompareTo((other.Generation, other.Lsn, other.Ordinal)) < 0 || Version < other.Version;
    }

    private readonly Dictionary<(string Entity, long Key), State> _newest = [];

    public long Looks { get; private set; }

    /// <summary>Until it is stopped, or something was seen.</summary>
    public async Task RunAsync(CancellationToken stop, CancellationToken ct)
    {
        await using var connection = await engine.DataSource.OpenConnectionAsync(ct);
        while (!stop.IsCancellationRequested)
        {
            await LookAtRowsAsync(connection, ct);
            if (wholeTransactions)
                await LookAtAccountsAsync(connection, ct);
            Looks++;
        }
    }

    private async Task LookAtRowsAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(tills ? RowsSql + TillsSql : RowsSql, connection);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var row = (reader.GetString(0), reader.GetInt64(1));
            var state = new State(reader.GetInt32(3), reader.GetDecimal(4), reader.GetInt64(5), reader.GetDecimal(2));
            if (_newest.TryGetValue(row, out var newest) && state.IsBefore(newest))
                throw new InvalidOperationException($"{row} went backwards: it shows {state}, and showed {newest} before.");
            _newest[row] = state;
        }
    }

    private static async Task LookAtAccountsAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(AccountsSql, connection);
        if (await command.ExecuteScalarAsync(ct) is string torn)
            throw new InvalidOperationException($"Half a transaction is visible: {torn}.");
    }
}
