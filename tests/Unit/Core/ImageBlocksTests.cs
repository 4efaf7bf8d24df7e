using Cdc.Core.Changes;
using Xunit;

namespace Cdc.Tests.Unit.Core;

public sealed class ImageBlocksTests
{
    [Fact]
    public void Small_rows_share_blocks_below_the_large_object_threshold_and_never_overlap()
    {
        var blocks = new ImageBlocks();
        var random = new Random(7);
        var rows = Enumerable.Range(0, 2000).Select(i => Enumerable.Repeat((byte)i, random.Next(1, 400)).ToArray()).ToList();
        var images = rows.Select(r => blocks.Copy(r)).ToList();
        Assert.All(rows.Zip(images), pair => Assert.Equal(pair.First, pair.Second.Span.ToArray()));
        Assert.All(images, i => Assert.True(i.Buffer.Length < 85_000));
        Assert.InRange(images.Select(i => i.Buffer).Distinct().Count(), 2, 10);
    }

    [Fact]
    public void A_large_row_gets_an_array_of_its_own_and_leaves_the_block_as_it_was()
    {
        var blocks = new ImageBlocks();
        var before = blocks.Copy([1]);
        var large = blocks.Copy(new byte[100_000]);
        var after = blocks.Copy([2]);
        Assert.Equal(100_000, large.Buffer.Length);
        Assert.Same(before.Buffer, after.Buffer);
        Assert.Equal(before.Offset + 1, after.Offset);
    }
}
