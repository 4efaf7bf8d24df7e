using Cdc.Reconcile.Repairs;
using Cdc.Reconcile.Reports;
using Xunit;

namespace Cdc.Tests.Unit.Reconcile;

public sealed class HtmlReportTests
{
    private static readonly DateTimeOffset At = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public void The_page_shows_verdict_rate_map_drift_money_checks_and_contradictions()
    {
        var html = HtmlReport.Of(Report("drift", capped: true));
        Assert.All(
            new[]
            {
                "<span class=\"verdict drift\">drift</span>",
                "99.0 %",
                "<strong>Capped:</strong>",
                "class=\"bad\"",
                "class=\"part\"",
                "<td>differing</td>",
                "1.00",
                "2026-01-02 03:04:05Z, run 3",
                "<polyline",
                "<strong>0.01</strong>",
                "Spot checks",
                "card-points-not-last-balance",
            },
            part => Assert.Contains(part, html, StringComparison.Ordinal)
        );
    }

    [Fact]
    public void A_repair_is_shown_with_what_became_of_each_key()
    {
        var repair = new RepairReport(
            false,
            [new RepairedKey("card", 7, "differing", "repaired", 1), new RepairedKey("card", 8, "extra", "in-flight", 1)]
        );
        var html = HtmlReport.Of(Report("drift", capped: false) with { Repair = repair });
        Assert.All(
            new[] { "1 keys are equal now, 0 differ, 1 could not be compared", "<td>repaired</td>", "<td>in-flight</td>" },
            part => Assert.Contains(part, html, StringComparison.Ordinal)
        );
        Assert.Contains(
            "dry run",
            HtmlReport.Of(Report("drift", capped: false) with { Repair = repair with { DryRun = true } }),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("Repair", HtmlReport.Of(Report("drift", capped: false)), StringComparison.Ordinal);
    }

    [Fact]
    public void Values_cannot_become_markup_and_nothing_is_fetched()
    {
        var html = HtmlReport.Of(Report("drift", capped: false));
        Assert.DoesNotContain("<script>alert", html, StringComparison.Ordinal);
        Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt;", html, StringComparison.Ordinal);
        Assert.All(
            new[] { "http", "src=", "@import", "url(", "Capped" },
            part => Assert.DoesNotContain(part, html, StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData(1.0, "100.0 %")]
    [InlineData(0.99999999, "99.9999 %")]
    [InlineData(0.5, "50.0 %")]
    [InlineData(null, "-")]
    public void A_rate_is_100_percent_only_if_nothing_differs(double? rate, string text) => Assert.Equal(text, RateText.Of(rate));

    private static RunReport Report(string verdict, bool capped)
    {
        var numbers = new ReportedNumbers(0.99, 100, 1, 0, 0, 1, 0, 0, 0, 0, 100, 100);
        var loading = numbers with { Drift = 0, Differing = 0, Loading = 5 };
        return new RunReport(
            new RunHead(3, "full", ["card"], null, null, null, "done", verdict, capped, 1, "0/1", "0/2", null, "ops", At, At),
            numbers,
            [
                new EntityReport(
                    "card",
                    "compared",
                    numbers,
                    [new PartitionReport(null, 50, numbers, "0/1", 12), new PartitionReport(50, null, loading, "0/2", 13)]
                ),
            ],
            1,
            [new ReportedDrift("card", 7, "differing", "code", "1.00", "<script>alert(1)</script>", At, 3, false)],
            [new ReportedTotal("card", "points", 1, null, 10.00m, 10.01m)],
            [new SpotCheck("card", 1, 20, [])],
            [new Violation("card-points-not-last-balance", 2, [3, 9])],
            [
                new RunPoint(2, "full", At.AddDays(-1), "done", "consistent", 1, 100, 0),
                new RunPoint(3, "full", At, "done", verdict, 0.99, 100, 1),
            ]
        );
    }
}
