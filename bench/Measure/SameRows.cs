using System.Globalization;
using Cdc.Core.Failures;

namespace Cdc.Bench.Measure;

/// <summary>A rate counts only if the rows are there. Asked between measurements; the demo checks the values of each column.</summary>
internal static class SameRows
{
    /// <exception cref="CdcException">The replica has other rows than Odoo.</exception>
    public static async Task CheckAsync(BenchBed bed, IReplica replica, CancellationToken ct)
    {
        var odoo = await bed.Source.Database.ScalarAsync<string>(SumSql(OdooSource.CardTable, OdooSource.HistoryTable), ct);
        var seen = await replica.Target.ScalarAsync<string>(SumSql(replica.CardTable, replica.HistoryTable), ct);
        if (seen == odoo)
            return;
        throw new CdcException(
            FailureKind.NotEqual,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{replica.Name} has other rows than Odoo (cards, points, history rows, amounts): {seen} instead of {odoo}."
            ),
            "This is a defect: report it."
        );
    }

    private static string SumSql(string cards, string history) =>
        $"""
            SELECT concat_ws(', ', (SELECT concat_ws(', ', count(*), sum(round(points::numeric, 2))) FROM {cards}),
                (SELECT concat_ws(', ', count(*), sum(round(points_amount::numeric, 2))) FROM {history}))
            """;
}
