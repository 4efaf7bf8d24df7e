using System.Net.Sockets;

namespace Cdc.Tests.Support.Network;

/// <summary>Passes bytes between one client and the server, until it is cut.</summary>
/// <param name="takeCut">The first call after it was set returns the cut; all others null.</param>
internal sealed class ProxiedConnection(Socket client, Socket server, Func<CommitCut?> takeCut)
{
    private volatile CommitCut? _committing;
    private volatile bool _silent;

    public void Start()
    {
        _ = Task.Run(() => PumpAsync(client, server, PassToServerAsync));
        _ = Task.Run(() => PumpAsync(server, client, PassToClientAsync));
    }

    public void GoSilent() => _silent = true;

    public void End()
    {
        client.Dispose();
        server.Dispose();
    }

    private async Task PumpAsync(Socket from, Socket to, Func<ReadOnlyMemory<byte>, ValueTask> passAsync)
    {
        var buffer = new byte[1 << 16];
        try
        {
            while (await from.ReceiveAsync(buffer) is var count and > 0)
                if (!_silent)
                    await passAsync(buffer.AsMemory(0, count));
            if (!_silent)
                to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            if (!_silent)
                End();
        }
    }

    private async ValueTask PassToServerAsync(ReadOnlyMemory<byte> bytes)
    {
        // The statement's text ends in a zero byte; what is sent with it in one go is of the same statement.
        if (bytes.Span.IndexOf("\0COMMIT\0"u8) >= 0 && takeCut() is { } cut)
        {
            if (!cut.ReachesServer)
            {
                End();
                cut.SetDone();
                return;
            }
            _committing = cut;
        }
        await server.SendAsync(bytes);
    }

    private async ValueTask PassToClientAsync(ReadOnlyMemory<byte> bytes)
    {
        if (_committing is { } cut)
        {
            // It answers when it has committed.
            End();
            cut.SetDone();
            return;
        }
        await client.SendAsync(bytes);
    }
}
