using System.Net;
using System.Net.Sockets;

namespace Cdc.Tests.Support.Network;

/// <summary>
/// A network between a client and a PostgreSQL server of this machine that can go silent, or break at the very moment of a COMMIT.
/// </summary>
public sealed class TcpProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly int _target;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly List<ProxiedConnection> _connections = [];
    private readonly Task _accepting;
    private CommitCut? _cut;

    private TcpProxy(int target)
    {
        _target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Nothing passes any more, and neither side learns of it: connections stay open on both sides.</summary>
    public bool IsSilent { get; private set; }

    /// <param name="target">The server's port on 127.0.0.1.</param>
    public static TcpProxy Start(int target) => new(target);

    public void GoSilent()
    {
        lock (_lock)
        {
            IsSilent = true;
            foreach (var connection in _connections)
                connection.GoSilent();
        }
    }

    /// <summary>New connections pass again.</summary>
    /// <param name="tellServer">
    /// True: connections that went silent are ended. False: they stay as they are; to the server their client is still there.
    /// </param>
    public void Heal(bool tellServer)
    {
        lock (_lock)
        {
            IsSilent = false;
            if (!tellServer)
                return;
            foreach (var connection in _connections)
                connection.End();
        }
    }

    /// <summary>The next connection that sends COMMIT is broken then.</summary>
    /// <param name="reachesServer">True: the server commits, its answer is lost. False: the server never sees it.</param>
    /// <returns>Completes when that has happened.</returns>
    public Task CutAtCommit(bool reachesServer)
    {
        var cut = new CommitCut(reachesServer);
        _cut = cut;
        return cut.Done;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_lock)
        {
            foreach (var connection in _connections)
                connection.End();
        }
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var client = await _listener.AcceptSocketAsync(_stop.Token);
            var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await server.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
            client.NoDelay = true;
            lock (_lock)
            {
                var connection = new ProxiedConnection(client, server, () => Interlocked.Exchange(ref _cut, null));
                _connections.Add(connection);
                if (IsSilent)
                    connection.GoSilent();
                connection.Start();
            }
        }
    }
}
