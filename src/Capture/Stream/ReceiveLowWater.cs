using System.Runtime.InteropServices;
using Cdc.Capture.Source;
using Cdc.Core.Postgres;
using Microsoft.Win32.SafeHandles;
using Npgsql;

namespace Cdc.Capture.Stream;

/// <summary>
/// Keeps the kernel from waking this process for every packet. The walsender sends one small packet a message, and .NET's edge-triggered
/// epoll wakes its engine thread for each, which costs reader and walsender more than the work itself. A receive low-water mark
/// (SO_RCVLOWAT) makes the kernel wait until that much is there; a tick that lowers and raises it bounds the delay. Linux and TCP only;
/// elsewhere the stream works without it, slower.
/// </summary>
internal sealed partial class ReceiveLowWater : IDisposable
{
    private const int SolSocket = 1;
    private const int SoRcvBuf = 8;
    private const int SoRcvLowat = 18;
    private const int Mark = 64 << 10;

    /// <summary>
    /// On one machine the sender pays for every packet that the receiver's buffer takes, and what does not fit it sends on as one: a small
    /// buffer makes a walsender that is ahead cheaper (seen once with 128 KiB: 9.4 to 7.6 µs a row). Over a network it would bound the
    /// bytes under way.
    /// </summary>
    private const int LoopbackBuffer = 64 << 10;

    private readonly SafeFileHandle _socket;
    private readonly Thread _ticker;
    private readonly AutoResetEvent _woken = new(false);
    private long _received;
    private volatile bool _parked;
    private volatile bool _stopped;

    private ReceiveLowWater(SafeFileHandle socket)
    {
        _socket = socket;
        if (IsLoopback((int)socket.DangerousGetHandle()))
            SetOption(SoRcvBuf, LoopbackBuffer);
        _ticker = new Thread(Tick) { IsBackground = true, Name = "cdc receive low water" };
        _ticker.Start();
    }

    /// <summary>Port of our end as the server sees it: Npgsql does not expose its socket. Null where there is none to be had.</summary>
    public static async Task<int?> ClientPortAsync(SourceOptions options, int walSenderPid, CancellationToken ct)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        await using var connection = await SourceConnection.OpenAsync(options, ct);
        await using var command = connection.Statement("SELECT client_port FROM pg_stat_activity WHERE pid = $1", walSenderPid);
        return await command.ExecuteScalarAsync(ct) is int port and > 0 ? port : null;
    }

    /// <summary>Call after authentication: before it, the server's short answers would wait for a tick that does not run yet.</summary>
    public static ReceiveLowWater? TryAttach(int? localPort, SourceOptions options)
    {
        if (localPort is null || !OperatingSystem.IsLinux())
            return null;
        var serverPort = new NpgsqlConnectionStringBuilder(options.ConnectionString).Port;
        return FindSocket(localPort.Value, serverPort) is { } socket ? new ReceiveLowWater(socket) : null;
    }

    /// <summary>Called by the reader for each message.</summary>
    public void Received(int bytes)
    {
        Volatile.Write(ref _received, _received + bytes);
        if (_parked)
            _woken.Set();
    }

    public void Dispose()
    {
        _stopped = true;
        _woken.Set();
        _ticker.Join();
        SetMark(1);
        _socket.Dispose();
        _woken.Dispose();
    }

    private void Tick()
    {
        var pace = new ReceivePace();
        var before = 0L;
        while (!_stopped)
        {
            var received = Volatile.Read(ref _received);
            var step = pace.Next(received - before);
            before = received;
            // Lowering the mark makes the kernel announce what has arrived below it.
            SetMark(1);
            if (step.Gather)
                SetMark(Mark);
            Wait(step, before);
        }
    }

    private void Wait(ReceivePace.Step step, long before)
    {
        if (!step.Park)
        {
            Thread.Sleep(step.WaitMilliseconds);
            return;
        }
        _parked = true;
        // The reader may have received between the check and the flag.
        if (Volatile.Read(ref _received) == before && !_stopped)
            _woken.WaitOne();
        _parked = false;
    }

    private void SetMark(int bytes) => SetOption(SoRcvLowat, bytes);

    private void SetOption(int name, int value) => _ = SetSocketOption(_socket, SolSocket, name, value, sizeof(int));

    /// <summary>
    /// A duplicate of the descriptor: when Npgsql closes its own, the number may be given to another socket, which must never get our mark.
    /// </summary>
    private static SafeFileHandle? FindSocket(int localPort, int serverPort)
    {
        foreach (var entry in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
        {
            if (
                int.TryParse(Path.GetFileName(entry.AsSpan()), out var descriptor)
                && PortOf(descriptor, GetSocketName) == localPort
                && PortOf(descriptor, GetPeerName) == serverPort
                && Duplicate(descriptor) is var copy and >= 0
            )
                return new SafeFileHandle(copy, ownsHandle: true);
        }
        return null;
    }

    private delegate int NameOf(int descriptor, Span<byte> address, ref int length);

    /// <summary>
    /// 0 if the descriptor is not an internet socket. Family in host order, port in network order, in sockaddr_in and sockaddr_in6 alike.
    /// </summary>
    private static int PortOf(int descriptor, NameOf name)
    {
        Span<byte> address = stackalloc byte[128];
        var length = address.Length;
        if (name(descriptor, address, ref length) != 0 || length < 4)
            return 0;
        var family = MemoryMarshal.Read<ushort>(address);
        return family is 2 or 10 ? (address[2] << 8) | address[3] : 0;
    }

    private static bool IsLoopback(int descriptor)
    {
        Span<byte> address = stackalloc byte[128];
        var length = address.Length;
        if (GetPeerName(descriptor, address, ref length) != 0)
            return false;
        return MemoryMarshal.Read<ushort>(address) switch
        {
            2 => address[4] == 127,
            10 => System.Net.IPAddress.IsLoopback(new System.Net.IPAddress(address.Slice(8, 16))),
            _ => false,
        };
    }

    [LibraryImport("libc", EntryPoint = "setsockopt")]
    private static partial int SetSocketOption(SafeFileHandle socket, int level, int name, in int value, int length);

    [LibraryImport("libc", EntryPoint = "getsockname")]
    private static partial int GetSocketName(int descriptor, Span<byte> address, ref int length);

    [LibraryImport("libc", EntryPoint = "getpeername")]
    private static partial int GetPeerName(int descriptor, Span<byte> address, ref int length);

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Duplicate(int descriptor);
}
