using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Cdc.Bench.Api;

/// <summary>One connection that asks and waits: as little work beside the server as can be, because both share the cores.</summary>
internal sealed class HttpSocket : IDisposable
{
    private static readonly byte[] EndOfHead = "\r\n\r\n"u8.ToArray();
    private static readonly byte[] EndOfChunks = "\r\n0\r\n\r\n"u8.ToArray();

    private readonly Socket _socket;
    private readonly byte[] _buffer = new byte[64 << 10];

    public HttpSocket(Uri server)
    {
        _socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _socket.Connect(new IPEndPoint(IPAddress.Loopback, server.Port));
    }

    public static byte[] Request(string path) => Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");

    /// <summary>Returns when the whole answer is here.</summary>
    /// <returns>Its status.</returns>
    public int Ask(byte[] request)
    {
        _socket.Send(request);
        var length = 0;
        while (true)
        {
            var received = _socket.Receive(_buffer, length, _buffer.Length - length, SocketFlags.None);
            if (received == 0)
                throw new IOException("The server closed the connection.");
            length += received;
            if (IsWhole(_buffer.AsSpan(0, length)))
                return int.Parse(_buffer.AsSpan(9, 3), NumberStyles.None, CultureInfo.InvariantCulture);
        }
    }

    public void Dispose() => _socket.Dispose();

    private static bool IsWhole(ReadOnlySpan<byte> answer)
    {
        var head = answer.IndexOf(EndOfHead);
        if (head < 0)
            return false;
        var at = answer[..head].IndexOf("Content-Length: "u8);
        if (at < 0)
            return answer.EndsWith(EndOfChunks);
        var text = answer[(at + 16)..];
        return answer.Length >= head + 4 + int.Parse(text[..text.IndexOf((byte)'\r')], NumberStyles.None, CultureInfo.InvariantCulture);
    }
}
