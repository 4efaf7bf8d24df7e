using System.Globalization;
using Cdc.Reconcile.Comparing;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Reconcile;

/// <summary>Many differences of random kinds at random places: all of them, no others, with field and both values.</summary>
public sealed class RandomDriftTest(TestServers servers)
{
    private const int Rows = 20_000;
    private const int Planted = 1000;

    // Each changes one engine column of a row to something it was not.
    private static readonly string[] Changes =
    [
        "points = points + 0.01", "points = points - 0.01", "points = -points - 0.01", "points = points + 42949672.96", "code = lower(code)", "code = code || ' '", "code = ' ' || code",
        "code = ''", "code = reverse(code)", "partner_id = coalesce(partner_id, 0) + 1", "partner_id = CASE WHEN partner_id IS NULL THEN 7 END",
        "company_id = NULL", "program_id = -program_id", "created_at = created_at + interval '1 microsecond'", "created_at = created_at - interval '1 hour'", "updated_at = NULL",
        "updated_at = 'infinity'",
    ];

    [Fact]
    public async Task A_thousand_planted_differences_are_found_with_field_and_values()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("CDC_TEST_SEED"), CultureInfo.InvariantCulture, out var given) ? given : Random.Shared.Next();
        TestContext.Current.SendDiagnosticMessage("seed {0}", seed);
        var dice = new Random(seed);
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(Rows));
        bed.Options = bed.Options with { SliceRows = 5000 };
        var keys = Enumerable.Range(1, Rows).ToArray();
        dice.Shuffle(keys);
        var before = await ValuesAsync(bed);
        var planted = keys[..Planted].Select((key, i) => (Key: (long)key, Change: Change(i, key, dice))).ToList();
        await bed.Engine.ExecuteAsync(string.Join("; ", planted.Select(p => p.Change)), ComparisonBed.Ct);
        var after = await ValuesAsync(bed);

        var compared = await bed.CompareAsync("card");

        Assert.True(compared.Numbers.Drift == Planted, $"{compared.Numbers.Drift} of {Planted} found; seed {seed}");
        Assert.Equal(Expected(before, after).Order(), compared.Drift.Select(d => d.Kind == DriftKind.Differing ? $"{d.Key} {d.Field} {d.OdooValue} {d.EngineValue}" : $"{d.Key} {d.Kind}").Order());
    }

    private static string Change(int place, int key, Random dice) => (place % 10) switch
    {
        0 => $"DELETE FROM loyalty_cards WHERE id = {key}",
        1 => $"INSERT INTO loyalty_cards (id, odoo_card_id, program_id, code, points) VALUES ({key + Rows}, {key + Rows}, 1, 'EXTRA', 5)",
        _ => $"UPDATE loyalty_cards SET {Changes[dice.Next(Changes.Length)]} WHERE id = {key}",
    };

    /// <summary>What the engine's own rows say was changed: the comparison has no part in it.</summary>
    private static IEnumerable<string> Expected(Dictionary<long, string[]> before, Dictionary<long, string[]> after)
    {
        foreach (var key in before.Keys.Union(after.Keys))
            if (!after.TryGetValue(key, out var now)) yield return $"{key} {DriftKind.Missing}";
            else if (!before.TryGetValue(key, out var was)) yield return $"{key} {DriftKind.Extra}";
            else
                for (var i = 0; i < now.Length; i++)
                    if (now[i] != was[i]) yield return $"{key} {Columns[i]} {was[i]} {now[i]}";
    }

    private static readonly string[] Columns = ["odoo_card_id", "program_id", "partner_id", "company_id", "code", "points", "created_at", "updated_at"];

    private static async Task<Dictionary<long, string[]>> ValuesAsync(ComparisonBed bed) =>
        (await bed.Engine.RowsAsync($"SET timezone = 'UTC'; SELECT id, {string.Join(", ", Columns)} FROM loyalty_cards", ComparisonBed.Ct))
        .Select(row => row.Split('|')).ToDictionary(row => long.Parse(row[0], CultureInfo.InvariantCulture), row => row[1..]);
}
