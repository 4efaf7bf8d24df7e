using Cdc.Core.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Unit.Core.Postgres;

public sealed class ServerHostsTests
{
    [Theory]
    [InlineData("Host=a,b", "primary")]
    [InlineData("Host=a:1,b:2;Target Session Attributes=read-write", "read-write")]
    [InlineData("Host=a", null)]
    [InlineData("Host=a;Target Session Attributes=any", null)]
    [InlineData("Host=a;Target Session Attributes=primary", null)]
    public void Of_several_hosts_the_primary_is_meant(string text, string? wanted) =>
        Assert.Equal(wanted, SessionSettings.Connection(text).TargetSessionAttributes);

    [Theory]
    [InlineData("Host=/var/run/postgresql", false)]
    [InlineData("Host=/var/run/postgresql;Tcp Keepalive=true;Tcp Keepalive Time=3", false)]
    [InlineData("Host=@abstract", false)]
    [InlineData("Host=/tmp:5433,b:5432", false)]
    [InlineData("Host=a", true)]
    [InlineData("Host=a/b", true)]
    public void A_socket_has_no_settings_of_TCP(string text, bool hasTcp)
    {
        var settings = ServerTimeouts.Settings(text);
        Assert.Equal(hasTcp, settings.TcpKeepAlive);
        Assert.Equal(hasTcp, settings.TcpKeepAliveTime > 0);
        Assert.Equal(hasTcp, settings.TcpKeepAliveInterval > 0);
        // Npgsql's own works over both.
        Assert.Equal(10, settings.KeepAlive);
    }

    [Fact]
    public async Task One_host_needs_no_search_and_what_is_said_of_several_is_left_out()
    {
        const string Text = "Host=a;Port=1;Database=d;Target Session Attributes=primary;Load Balance Hosts=true;Timeout=9";
        var found = new NpgsqlConnectionStringBuilder(await ServerHosts.FindPrimaryAsync(Text, TestContext.Current.CancellationToken));
        Assert.Equal(("a", 1, "d", 9), (found.Host, found.Port, found.Database, found.Timeout));
        Assert.Null(found.TargetSessionAttributes);
        Assert.False(found.LoadBalanceHosts);
    }

    [Theory]
    [InlineData("Host=a;Port=1;Database=d;Password=p", "a:1/d")]
    [InlineData("Host=a:1,b:2;Database=d;Username=u", "a:1,b:2/d")]
    public void A_server_is_named_without_its_login(string text, string name) =>
        Assert.Equal(name, ServerHosts.NameOf(new NpgsqlConnectionStringBuilder(text)));

    [Theory]
    [InlineData("primary")]
    [InlineData("read-write")]
    [InlineData("prefer-standby")]
    [InlineData("any")]
    [InlineData(null)]
    public async Task A_pool_takes_several_hosts_whatever_is_said_of_them(string? target)
    {
        var settings = new NpgsqlConnectionStringBuilder("Host=a,b;Database=d") { TargetSessionAttributes = target };
        await using var pool = SessionSettings.Pool(settings);
        Assert.Contains("a,b", pool.ConnectionString, StringComparison.Ordinal);
    }
}
