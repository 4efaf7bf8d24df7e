using Cdc.Reconcile;
using Cdc.Reconcile.Comparing;
using Xunit;

namespace Cdc.Tests.Unit.Reconcile;

public sealed class SlicePacerTests
{
    private static readonly KeySpan All = KeySpan.All;

    [Fact]
    public void Spans_tile_the_slice_without_gap_or_overlap()
    {
        var pacer = new SlicePacer(new ReconcileOptions { SliceRows = 10_000 });
        var spans = pacer.Next(All, 1, 1_000_000);
        Assert.Equal(KeySpan.Lowest, spans[0].Low);
        Assert.Equal(10_001, spans[^1].High);
        Assert.All(spans.Zip(spans.Skip(1)), pair => Assert.Equal(pair.First.High, pair.Second.Low));
        Assert.All(spans.Skip(1), s => Assert.InRange((long)s.Width, 1000, 1200));
    }

    [Fact]
    public void The_last_slice_is_open_above()
    {
        var spans = new SlicePacer(new ReconcileOptions()).Next(All with { Low = 500 }, 600, 700);
        Assert.Equal((500, KeySpan.Highest), (spans[0].Low, spans[^1].High));
    }

    [Fact]
    public void A_gap_belongs_to_the_slice_after_it()
    {
        var spans = new SlicePacer(new ReconcileOptions { SliceRows = 5000 }).Next(All with { Low = 10 }, 2_000_000_000, 2_100_000_000);
        Assert.Equal((10, 2_000_005_000), (spans[0].Low, spans[^1].High));
    }

    [Theory]
    [InlineData(10, 5000)]
    [InlineData(0.1, 20_000)]
    [InlineData(1, 10_000)]
    public void The_time_that_a_slice_took_decides_the_rows_of_the_next(double seconds, int rows)
    {
        var pacer = new SlicePacer(new ReconcileOptions { SliceRows = 10_000, SliceTime = TimeSpan.FromSeconds(1) });
        pacer.Took(TimeSpan.FromSeconds(seconds), 10_000, [new KeySpan(0, 1)]);
        Assert.Equal(rows, pacer.Rows, 100.0);
    }

    [Fact]
    public void Sparse_keys_make_slices_wide()
    {
        var pacer = new SlicePacer(new ReconcileOptions { SliceRows = 10_000 });
        pacer.Expect(0, 10_000_000, 10_000);
        Assert.Equal(KeySpan.Highest, pacer.Next(All, 0, 10_000_000)[^1].High);
    }

    [Fact]
    public void Slices_that_time_out_get_smaller_until_there_is_nothing_to_cut()
    {
        var pacer = new SlicePacer(new ReconcileOptions { SliceRows = 100_000 });
        var rows = new List<double>();
        while (pacer.TookTooLong())
            rows.Add(pacer.Rows);
        Assert.NotEmpty(rows);
        Assert.Equal(rows.OrderDescending(), rows);
        Assert.Equal(4096, pacer.Rows);
    }
}
