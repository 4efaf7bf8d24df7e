using System.Net;
using System.Net.Sockets;
using Cdc.Engine;
using Cdc.Engine.Processes;
using Cdc.Testing.Waiting;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Time;
using Xunit;

namespace Cdc.Tests.Integration.Engine;

public sealed class ProcessAnnouncementTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task That_it_cannot_be_told_is_said_once_however_often_it_is_tried()
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var time = new ManualTime(DateTimeOffset.UnixEpoch);
        var log = new RecordedLog();
        var options = new EngineOptions
        {
            ConnectionString = $"Host=127.0.0.1;Port={((IPEndPoint)server.LocalEndpoint).Port};Username=u;Ssl Mode=Disable",
        };
        var announcing = new ProcessAnnouncement(
            options,
            () => new ProcessStanding("run", "working", DateTimeOffset.UnixEpoch),
            time,
            log
        ).RunAsync(stop.Token);
        for (var tries = 0; tries < 3; tries++)
        {
            // It is closed at once.
            (await server.AcceptTcpClientAsync(Ct)).Dispose();
            await Eventually.True("it pauses", () => time.NextAlarm is not null, ct: Ct);
            time.Advance(TimeSpan.FromSeconds(2));
        }
        Assert.Single(log.Lines, l => l.Contains("Other processes are not told", StringComparison.Ordinal));
        await stop.CancelAsync();
        await announcing;
    }
}
