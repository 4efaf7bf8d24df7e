using System.Net;
using System.Net.Sockets;
using Cdc.Api;
using Cdc.Api.Engine;
using Cdc.Api.Metrics;
using Cdc.Tests.Support.Time;
using Xunit;

namespace Cdc.Tests.Integration.Api;

public sealed class ReconcileStandingTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Who_comes_after_a_reading_that_failed_does_not_wait_for_another()
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        var asked = 0;
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var closing = CloseAsync();
        var time = new ManualTime(DateTimeOffset.UnixEpoch);
        var options = new ApiOptions();
        await using var engine = new EngineReads($"Host=127.0.0.1;Port={((IPEndPoint)server.LocalEndpoint).Port};Username=u", options);
        using var standing = new ReconcileStanding(engine, null!, options, time);
        await standing.ReadAsync(Ct);
        var first = Volatile.Read(ref asked);
        Assert.True(first > 0);
        await standing.ReadAsync(Ct);
        Assert.Equal(first, Volatile.Read(ref asked));
        time.Advance(TimeSpan.FromSeconds(1));
        await standing.ReadAsync(Ct);
        Assert.True(Volatile.Read(ref asked) > first);
        await stopping.CancelAsync();
        await closing;

        async Task CloseAsync()
        {
            try
            {
                while (true)
                {
                    using var client = await server.AcceptTcpClientAsync(stopping.Token);
                    Interlocked.Increment(ref asked);
                }
            }
            catch (OperationCanceledException)
            {
                // It was stopped.
            }
        }
    }
}
