using System.Net;
using System.Net.Sockets;

namespace Cdc.Testing.Postgres;

/// <summary>For servers that need a fixed port.</summary>
public static class FreePort
{
    // Below Linux's range for outgoing connections: a server that is down for a moment finds its port free again.
    private const int Lowest = 15_000;
    private const int Highest = 32_000;

    /// <summary>Free on 127.0.0.1 at this moment; another process may still be quicker.</summary>
    public static int Next()
    {
        while (true)
        {
            var port = Random.Shared.Next(Lowest, Highest);
            if (IsFree(port))
                return port;
        }
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
