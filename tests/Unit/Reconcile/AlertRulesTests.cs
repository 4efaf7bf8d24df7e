using Cdc.Reconcile.Alerts;
using Xunit;

namespace Cdc.Tests.Unit.Reconcile;

public sealed class AlertRulesTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly List<AlertSample> _samples = [];

    [Fact]
    public void Any_drift_is_a_warning_at_once_and_nothing_more()
    {
        Stand(0, drift: 1);
        Assert.Equal("warning", Fired());
    }

    [Fact]
    public void No_drift_is_nothing()
    {
        for (var minute = 0; minute < 10; minute++)
            Stand(minute, drift: 0);
        Assert.Equal("", Fired());
    }

    [Theory]
    [InlineData(100, "warning")]
    [InlineData(101, "warning alert")]
    [InlineData(500, "warning alert")]
    [InlineData(501, "warning alert remediation")]
    [InlineData(1000, "warning alert remediation")]
    [InlineData(1001, "warning alert remediation page")]
    public void A_share_above_its_threshold_fires_and_one_at_it_does_not(int drift, string fired)
    {
        for (var minute = 0; minute < 3; minute++)
            Stand(minute, drift);
        Assert.Equal(fired, Fired());
    }

    [Fact]
    public void Too_few_comparisons_warn_only()
    {
        Stand(0, drift: 50_000);
        Stand(1, drift: 50_000);
        Assert.Equal("warning", Fired());
    }

    [Fact]
    public void A_blip_among_many_is_no_alert()
    {
        for (var minute = 0; minute < 25; minute++)
            Stand(minute, drift: 0);
        Stand(25, drift: 200);
        Assert.Equal("warning", Fired());
    }

    [Fact]
    public void What_is_over_is_no_alert()
    {
        for (var minute = 0; minute < 20; minute++)
            Stand(minute, drift: 5000);
        for (var minute = 20; minute < 26; minute++)
            Stand(minute, drift: 0);
        Assert.Equal("", Fired());
    }

    [Fact]
    public void What_is_older_than_the_long_window_counts_for_nothing()
    {
        for (var minute = 0; minute < 3; minute++)
            Stand(minute, drift: 5000);
        Stand(40, drift: 5000);
        Assert.Equal("warning", Fired());
    }

    [Fact]
    public void One_entity_alone_fires_where_all_together_are_within_bounds_if_it_has_rows_enough()
    {
        for (var minute = 0; minute < 3; minute++)
        {
            Stand(minute, drift: 0, rows: 1_000_000, entity: "history");
            Stand(minute, drift: 2, rows: 1000, entity: "card");
            Stand(minute, drift: 3, rows: 5, entity: "program");
        }
        Assert.Equal("warning alert", Fired());
        Assert.Equal("card", Find(AlertName.Alert)!.Scope);
        Assert.Contains("0.2 % of the rows of card differ", Find(AlertName.Alert)!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Small_entities_count_together()
    {
        for (var minute = 0; minute < 3; minute++)
        for (var i = 0; i < 10; i++)
            Stand(minute, drift: 1, rows: 500, entity: $"small{i}");
        Assert.Equal("all", Find(AlertName.Alert)!.Scope);
    }

    private void Stand(int minute, long drift, long rows = 100_000, string entity = "card") =>
        _samples.Add(new AlertSample(Noon.AddMinutes(minute), entity, rows, drift));

    private string Fired() => string.Join(' ', AlertName.All.Where(name => Find(name) is not null));

    private AlertFinding? Find(string name) => new AlertRules(new AlertOptions()).Find(name, _samples, _samples.Max(s => s.At));
}
