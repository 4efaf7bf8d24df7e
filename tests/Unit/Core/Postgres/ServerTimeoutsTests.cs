using Cdc.Core.Postgres;
using Xunit;

namespace Cdc.Tests.Unit.Core.Postgres;

public sealed class ServerTimeoutsTests
{
    [Fact]
    public void A_connection_is_made_kept_and_asked_with_a_patience_of_seconds()
    {
        var settings = ServerTimeouts.Settings("Host=h;Database=d", commandSeconds: 7);
        Assert.Equal(("h", "d"), (settings.Host, settings.Database));
        Assert.Equal(
            (5, 10, true, 10, 5, 7),
            (
                settings.Timeout,
                settings.KeepAlive,
                settings.TcpKeepAlive,
                settings.TcpKeepAliveTime,
                settings.TcpKeepAliveInterval,
                settings.CommandTimeout
            )
        );
    }

    [Fact]
    public void What_the_connection_string_says_itself_wins()
    {
        var settings = ServerTimeouts.Settings("Host=h;Timeout=99;CommandTimeout=88;Keepalive=0");
        Assert.Equal((99, 88, 0), (settings.Timeout, settings.CommandTimeout, settings.KeepAlive));
    }
}
