using System.Net;
using System.Net.Sockets;
using Cdc.Host.Servers;
using Xunit;

namespace Cdc.Tests.Integration.Host;

public sealed class SourceHoldTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_engine_that_hangs_from_the_start_is_not_waited_for_to_its_end()
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        await using var engine = Database.Engine($"Host=127.0.0.1;Port={((IPEndPoint)server.LocalEndpoint).Port};Username=u;Timeout=10");
        var known = new SourceHold(engine).KnownAsync(Ct);
        using var session = await server.AcceptTcpClientAsync(Ct);
        var asked = new byte[1024];
        Assert.True(await session.GetStream().ReadAsync(asked, Ct) > 0);
        Assert.Null(await known);
        // The driver has not given up yet, which is when it closes the connection.
        Assert.False(session.Client.Poll(0, SelectMode.SelectRead));
    }
}
