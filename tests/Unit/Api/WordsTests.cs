using Cdc.Api.Balances;
using Cdc.Api.Security;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Progress;
using Cdc.Expressions.Declaration;
using Cdc.Expressions.Rows;
using Cdc.Tests.Support;
using Xunit;

namespace Cdc.Tests.Unit.Api;

/// <summary>Texts that come from outside.</summary>
public sealed class WordsTests
{
    [Theory]
    [InlineData("1:16/B374D848", 1, 0x16B374D848L)]
    [InlineData("16/B374D848", 3, 0x16B374D848)]
    [InlineData("2:0/A:-7", 2, 0xBL)]
    [InlineData("", 0, null)]
    [InlineData("1", 0, null)]
    [InlineData("1:2", 0, null)]
    [InlineData("-1:0/1", 0, null)]
    [InlineData("1:0/1:x", 0, null)]
    [InlineData("1:0/1:2:3", 0, null)]
    [InlineData("1: 0/1", 0, null)]
    [InlineData("1:0/100000000", 0, null)]
    [InlineData("1:FFFFFFFF/FFFFFFFF:0", 0, null)]
    public void A_position_is_read_or_refused(string text, int generation, long? lsn) =>
        Assert.Equal(
            lsn is { } at ? new AppliedThrough(generation, new Lsn((ulong)at)) : default(AppliedThrough?),
            AppliedThrough.TryParse(text, 3, out var through) ? through : default(AppliedThrough?)
        );

    [Fact]
    public void A_cursor_survives_the_way_out_and_back_and_nothing_else_is_one()
    {
        Cursor[] cursors = [new(1, null, 2), new(long.MaxValue, long.MinValue, -1), new(17, 0, 0)];
        Assert.All(cursors, c => Assert.Equal(c, Cursor.TryParse(c.ToString(), out var back) ? back : default(Cursor?)));
        Assert.All(
            (string?[])
                [
                    null,
                    "",
                    "x",
                    new string('A', 33),
                    new string('A', 35),
                    new string('!', 34),
                    new string('_', 34),
                    "ö" + new string('A', 33),
                ],
            t => Assert.False(Cursor.TryParse(t, out _))
        );
    }

    [Fact]
    public void A_key_is_read_back_as_it_was_made()
    {
        for (var i = 0; i < 100; i++)
        {
            var key = ApiKeyText.Create();
            Assert.Equal(key, ApiKeyText.Parse(key.ToString()));
        }
        Assert.All(
            (string?[])[null, "", "cdc", "cdc__", "cdc_short_x", "abc_abcdefghijkl_x", "cdc_abcdefghijkl_", new string('_', 500)],
            t => Assert.Null(ApiKeyText.Parse(t))
        );
    }

    [Fact]
    public void An_announcement_is_read_back_and_what_cannot_be_read_is_everything()
    {
        var notice = new System.Text.StringBuilder();
        ChangeNotice.Append(notice, 17, 0xABC);
        ChangeNotice.Append(notice, -3, null);
        Assert.Equal([(17, 0xABCu), (-3, null)], ChangeNotice.Parse(notice.ToString()));
        Assert.All((string[])["*", "", "x", "1,", "1:zz", "1:"], t => Assert.Null(ChangeNotice.Parse(t)));
    }

    [Theory]
    [InlineData("http://127.0.0.1:1", false, "http://127.0.0.1:1", false)]
    [InlineData("http://localhost:1;https://[::1]:2", false, "http://localhost:1|https://[::1]:2", false)]
    [InlineData("http://*:1", false, "http://127.0.0.1:1", true)]
    [InlineData("https://0.0.0.0:1", false, "https://127.0.0.1:1", true)]
    [InlineData("http://192.0.2.1:1", false, "http://127.0.0.1:1", true)]
    [InlineData("http://api.example:1", false, "http://127.0.0.1:1", true)]
    [InlineData("http://*:1", true, "http://*:1", false)]
    public void Without_keys_only_loopback_is_listened_to(string urls, bool anyKeys, string listened, bool narrowed)
    {
        var parsed = ListenUrl.Parse(urls, anyKeys);
        Assert.Equal((listened, narrowed), (string.Join('|', parsed.Select(u => u.Url.ToString())), parsed.Any(u => u.Narrowed)));
    }

    [Theory]
    [InlineData("ftp://127.0.0.1:1")]
    [InlineData("127.0.0.1")]
    [InlineData(";")]
    [InlineData("http://127.0.0.1:1/path")]
    [InlineData("http://127.0.0.1:99999")]
    public void An_address_that_is_none_is_refused(string urls) =>
        Assert.Equal(FailureKind.Configuration, Assert.Throws<CdcException>(() => ListenUrl.Parse(urls, true)).Kind);

    [Fact]
    public void A_code_is_looked_up_as_it_is_stored_by_many_at_once()
    {
        var lookup = new DeclaredLookup(EntityFile.Load(SourceTree.PathOf("schemas/entities.json")).Find("card")!, "code");
        Parallel.For(
            0,
            2_000,
            i =>
            {
                Assert.Equal($"CÄRD{i}Z", lookup.TryNormalize($" \t\vcÄrd{i}z\n", out _)!);
                Assert.Null(lookup.TryNormalize("  ", out var reason));
                Assert.Equal("code-empty", reason.Name);
            }
        );
        Assert.Null(lookup.TryNormalize(new string('x', 513), out var tooLong));
        Assert.Equal("code-too-long", tooLong.Name);
        Assert.Null(lookup.TryNormalize("a\0b", out _));
        Assert.Null(lookup.TryNormalize("\ud800", out _));
    }
}
