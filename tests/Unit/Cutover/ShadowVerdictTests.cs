using Cdc.Cutover.Shadow;
using Xunit;

namespace Cdc.Tests.Unit.Cutover;

public sealed class ShadowVerdictTests
{
    private static readonly ShadowCard Card = new("A", "1.00", 1, 2, 3, true, null);
    private static readonly ShadowCard Newer = Card with { Points = "2.00" };

    [Fact]
    public void Only_what_Odoo_had_before_and_after_the_engines_answer_shows_a_difference()
    {
        Assert.Equal(ShadowResult.Equal, ShadowVerdict.Of(Card, Card, Card, false).Result);
        Assert.Equal(ShadowResult.Equal, ShadowVerdict.Of(Card, Newer, Newer, false).Result);
        Assert.Equal(ShadowResult.Equal, ShadowVerdict.Of(Card, Card, Newer, false).Result);
        Assert.Equal(ShadowResult.Moving, ShadowVerdict.Of(Card, Newer with { Points = "3.00" }, Newer, false).Result);
        Assert.Equal(new ShadowVerdict(ShadowResult.Differs, "points"), ShadowVerdict.Of(Card, Newer, Card, false));
        Assert.Equal(
            new ShadowVerdict(ShadowResult.Differs, "expires"),
            ShadowVerdict.Of(Card, Card with { LastDay = new(2027, 1, 1) }, Card, false)
        );
        Assert.Equal(ShadowResult.Missing, ShadowVerdict.Of(Card, null, Card, false).Result);
        Assert.Equal(ShadowResult.Extra, ShadowVerdict.Of(null, Card, null, false).Result);
        Assert.Equal(ShadowResult.Equal, ShadowVerdict.Of(null, null, Card, false).Result);
        // Odoo had another value in between, and has this one again.
        Assert.Equal(ShadowResult.Moving, ShadowVerdict.Of(Card, Newer, Card, true).Result);
    }
}
