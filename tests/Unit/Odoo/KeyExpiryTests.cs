using Cdc.Odoo.Calls;
using Xunit;

namespace Cdc.Tests.Unit.Odoo;

public sealed class KeyExpiryTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly DateTimeOffset End = new(2027, 2, 28, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("16.0")]
    [InlineData("17.0")]
    public async Task Keys_have_no_end_before_18(string version)
    {
        await using var bed = await OdooBed.StartAsync(version, Ct);
        Assert.Equal(new KeyExpiry(true, null, ""), await bed.Client.KeyExpiryAsync(Ct));
        Assert.Empty(bed.Server.Calls);
    }

    [Fact]
    public async Task The_only_key_of_the_user_is_the_one()
    {
        var expiry = await ReadAsync(
            """[{"id": 1, "scope": "rpc", "expiration_date": "2027-02-28 12:00:00"}, {"id": 2, "scope": "other", "expiration_date": false}]"""
        );
        Assert.Equal(new KeyExpiry(true, End, ""), expiry);
    }

    [Fact]
    public async Task Of_several_it_is_not_known_which_but_when_the_first_ends()
    {
        var expiry = await ReadAsync(
            """[{"id": 1, "scope": false, "expiration_date": "2027-02-28 12:00:00"}, {"id": 2, "scope": false, "expiration_date": false}]"""
        );
        Assert.Equal((false, End), (expiry.IsKnown, expiry.At!.Value));
        Assert.Contains("2 keys", expiry.Why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_none_of_them_ends_it_is_known()
    {
        var expiry = await ReadAsync(
            """[{"id": 1, "scope": false, "expiration_date": false}, {"id": 2, "scope": "rpc", "expiration_date": false}]"""
        );
        Assert.Equal(new KeyExpiry(true, null, ""), expiry);
    }

    [Theory]
    [InlineData("[]", 200)]
    [InlineData("""{"name": "odoo.exceptions.AccessError", "message": "You are not allowed to access 'Users API Keys'"}""", 403)]
    public async Task Where_Odoo_does_not_say_it_that_is_said(string answer, int status)
    {
        var expiry = await ReadAsync(answer, status);
        Assert.Equal((false, null), (expiry.IsKnown, expiry.At));
        Assert.NotEmpty(expiry.Why);
    }

    private static async Task<KeyExpiry> ReadAsync(string keys, int status = 200)
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct);
        bed.Server.Play(RecordedAnswer.Json2("default context_get"), PlayedAnswer.Json(keys, status));
        var expiry = await bed.Client.KeyExpiryAsync(Ct);
        Assert.Equal("""[["user_id","=",7]]""", bed.Server.Calls[1].Argument("domain", 0)!.ToJsonString());
        return expiry;
    }
}
