using System.Text.Json;
using Cdc.Core.Failures;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Host;

public sealed class KeysCommandTests(TestServers servers)
{
    [Fact]
    public async Task A_key_is_printed_once_listed_without_its_text_and_revoked()
    {
        await using var world = await HostWorld.CreateWholeAsync(servers);
        var text = (await world.RunAsync("keys", "create", "pos")).Out.Trim();
        Assert.StartsWith("cdc_", text, StringComparison.Ordinal);
        Assert.Equal(
            0,
            (await world.RunAsync("keys", "create", "on-call", "--scope", "operate", "--scope", "read", "--rate", "5")).ExitCode
        );

        var list = (await world.RunAsync("keys", "list", "--json")).Out;
        Assert.DoesNotContain(text.Split('_', 3)[2], list, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", list, StringComparison.OrdinalIgnoreCase);
        var keys = JsonDocument.Parse(list).RootElement.GetProperty("keys");
        Assert.Equal(["pos", "on-call"], keys.EnumerateArray().Select(k => k.GetProperty("name").GetString()));
        Assert.Equal(
            ("[\"operate\",\"read\"]", 5),
            (JsonSerializer.Serialize(keys[1].GetProperty("scopes")), keys[1].GetProperty("requestsPerSecond").GetInt32())
        );

        Assert.Equal(0, (await world.RunAsync("keys", "revoke", keys[0].GetProperty("id").GetString()!)).ExitCode);
        Assert.Equal((int)FailureKind.Usage, (await world.RunAsync("keys", "revoke", "pos")).ExitCode);
        Assert.Contains("on-call", (await world.RunAsync("keys", "list")).Out, StringComparison.Ordinal);
        Assert.Equal(1, await world.EngineAsync<long>("SELECT count(*) FROM cdc.api_keys WHERE revoked_at IS NULL"));
    }

    [Theory]
    [InlineData("pos", "--scope", "everything")]
    [InlineData("pos", "--rate", "0")]
    [InlineData(" ")]
    public async Task What_cannot_be_granted_is_refused(params string[] key)
    {
        await using var world = await HostWorld.CreateWholeAsync(servers);
        Assert.Equal((int)FailureKind.Usage, (await world.RunAsync(["keys", "create", .. key])).ExitCode);
        Assert.Equal(0, await world.EngineAsync<long>("SELECT count(*) FROM cdc.api_keys"));
    }
}
