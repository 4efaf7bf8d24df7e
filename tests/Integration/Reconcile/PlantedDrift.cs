using System.Globalization;
using Cdc.Reconcile.Comparing;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Reconcile;

/// <summary>Differences of random kinds, put into the engine's cards by hand, and what they are by the engine's own account.</summary>
internal sealed class PlantedDrift(TestDatabase engine, IReadOnlyCollection<long> keys, IReadOnlyList<string> expected)
{
    // Each changes one engine column of a row to something it was not.
    private static readonly string[] Changes =
    [
        "points = points + 0.01",
        "points = points - 0.01",
        "points = -points - 0.01",
        "points = points + 42949672.96",
        "code = lower(code)",
        "code = code || ' '",
        "code = ' ' || code",
        "code = ''",
        "code = reverse(code)",
        "partner_id = coalesce(partner_id, 0) + 1",
        "partner_id = CASE WHEN partner_id IS NULL THEN 7 END",
        "company_id = NULL",
        "program_id = -program_id",
        "created_at = created_at + interval '1 microsecond'",
        "created_at = created_at - interval '1 hour'",
        "updated_at = NULL",
        "updated_at = 'infinity'",
    ];

    private static readonly string[] Columns =
    [
        "odoo_card_id",
        "program_id",
        "partner_id",
        "company_id",
        "code",
        "points",
        "created_at",
        "updated_at",
    ];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Keys that differ.</summary>
    public IReadOnlyCollection<long> Keys => keys;

    /// <summary>Each as <see cref="Describe"/> has it, in order.</summary>
    public IReadOnlyList<string> Expected => expected;

    /// <param name="first">The first of <paramref name="rows"/> keys in a row that have a card; as many behind them have none.</param>
    public static async Task<PlantedDrift> PlantAsync(TestDatabase engine, long first, int rows, int count, int seed)
    {
        var dice = new Random(seed);
        var keys = Enumerable.Range(0, rows).Select(i => first + i).ToArray();
        dice.Shuffle(keys);
        var before = await ValuesAsync(engine, first, rows);
        // Some refer to programs that are not there.
        await engine.ExecuteAsync(
            $"SET session_replication_role = replica; {string.Join("; ", keys[..count].Select((key, place) => Change(place, key, rows, dice)))}; RESET session_replication_role",
            Ct
        );
        var after = await ValuesAsync(engine, first, rows);
        return new PlantedDrift(
            engine,
            [
                .. before
                    .Keys.Union(after.Keys)
                    .Where(k => !before.TryGetValue(k, out var was) || !after.TryGetValue(k, out var now) || !was.SequenceEqual(now)),
            ],
            [.. Differences(before, after).Order()]
        );
    }

    /// <summary>A difference as a comparison found it.</summary>
    public static string Describe(long key, string kind, string field, string? odoo, string? engine) =>
        kind.Equals("differing", StringComparison.OrdinalIgnoreCase)
            ? $"{key} {field} {odoo} {engine}"
            : $"{key} {kind.ToLowerInvariant()}";

    /// <summary>How many of the keys have an audit row with this outcome.</summary>
    public Task<long> OutcomesAsync(string outcome) =>
        engine.ScalarAsync<long>(
            $"SELECT count(DISTINCT key) FROM cdc.reconcile_repairs WHERE outcome = '{outcome}' AND verified_lsn IS NOT NULL AND key IN ({string.Join(", ", keys)})",
            Ct
        );

    private static string Change(int place, long key, int rows, Random dice) =>
        (place % 10) switch
        {
            0 => $"DELETE FROM loyalty_cards WHERE id = {key}",
            1 =>
                $"INSERT INTO loyalty_cards (id, odoo_card_id, program_id, code, points) VALUES ({key + rows}, {key + rows}, 1, 'EXTRA', 5)",
            _ => $"UPDATE loyalty_cards SET {Changes[dice.Next(Changes.Length)]} WHERE id = {key}",
        };

    /// <summary>What the engine's own rows say was changed: the comparison has no part in it.</summary>
    private static IEnumerable<string> Differences(Dictionary<long, string[]> before, Dictionary<long, string[]> after)
    {
        foreach (var key in before.Keys.Union(after.Keys))
            if (!after.TryGetValue(key, out var now))
                yield return Describe(key, nameof(DriftKind.Missing), "", null, null);
            else if (!before.TryGetValue(key, out var was))
                yield return Describe(key, nameof(DriftKind.Extra), "", null, null);
            else
                for (var i = 0; i < now.Length; i++)
                    if (now[i] != was[i])
                        yield return Describe(key, nameof(DriftKind.Differing), Columns[i], was[i], now[i]);
    }

    private static async Task<Dictionary<long, string[]>> ValuesAsync(TestDatabase engine, long first, int rows) =>
        (
            await engine.RowsAsync(
                $"SET timezone = 'UTC'; SELECT id, {string.Join(", ", Columns)} FROM loyalty_cards WHERE id >= {first} AND id < {first + 2L * rows}",
                Ct
            )
        )
            .Select(row => row.Split('|'))
            .ToDictionary(row => long.Parse(row[0], CultureInfo.InvariantCulture), row => row[1..]);
}
