using Xunit;

namespace Cdc.Tests.Unit.Support;

public sealed class EventuallyTests
{
    [Fact]
    public async Task What_becomes_true_ends_the_wait()
    {
        var asked = 0;
        await Eventually.True("the third answer is yes", () => ++asked == 3, ct: TestContext.Current.CancellationToken);
        Assert.Equal(3, asked);
    }

    [Fact]
    public async Task A_time_out_says_what_was_waited_for_and_the_last_state()
    {
        var failure = await Assert.ThrowsAsync<TimeoutException>(() =>
            Eventually.True("pigs fly", () => false, () => "on the ground", TimeSpan.Zero, TestContext.Current.CancellationToken)
        );
        Assert.Contains("pigs fly", failure.Message, StringComparison.Ordinal);
        Assert.Contains("on the ground", failure.Message, StringComparison.Ordinal);
    }
}
