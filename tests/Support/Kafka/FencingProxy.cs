using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Cdc.Tests.Support.Kafka;

/// <summary>
/// Stands before the mock cluster's broker and makes it fence. The mock gives every client with a transactional id its own
/// producer id, and so fences none. Given the id's producer it raises the epoch, and from then on refuses the old one's appends,
/// partitions and ends of transactions, as Kafka does. So a producer that asks for the first time is made to name the producer that the
/// mock gave the id last. Can hold a request on its way, as a host does that was stopped.
/// </summary>
internal sealed class FencingProxy : IDisposable
{
    private const short InitProducerId = 22;
    private const short FirstWithProducer = 3;

    private readonly int _broker;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ended = new();
    private readonly ConcurrentDictionary<string, (long Id, short Epoch)> _producers = new();
    private HeldRequest? _hold;

    /// <param name="broker">Port of the mock's broker on this host.</param>
    public FencingProxy(int broker)
    {
        _broker = broker;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The next request of this kind, and what its connection sends behind it, waits until it is released.</summary>
    public HeldRequest HoldNext(short request)
    {
        var held = new HeldRequest(request);
        Volatile.Write(ref _hold, held);
        return held;
    }

    public void Dispose()
    {
        _ended.Cancel();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_ended.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The cluster has ended.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var broker = new TcpClient { NoDelay = true };
        using (client)
        {
            client.NoDelay = true;
            try
            {
                await broker.ConnectAsync(IPAddress.Loopback, _broker, _ended.Token);
                var asked = new ConcurrentDictionary<int, string>();
                await Task.WhenAny(
                    ForwardAsync(client, broker, frame => AskAsync(frame, asked)),
                    ForwardAsync(broker, client, frame => Answer(frame, asked))
                );
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                // The other side sees that its connection ends.
            }
        }
    }

    private async Task ForwardAsync(TcpClient from, TcpClient to, Func<byte[], ValueTask> inspect)
    {
        var size = new byte[sizeof(int)];
        while (true)
        {
            await from.GetStream().ReadExactlyAsync(size, _ended.Token);
            var frame = new byte[BinaryPrimitives.ReadInt32BigEndian(size)];
            await from.GetStream().ReadExactlyAsync(frame, _ended.Token);
            await inspect(frame);
            await to.GetStream().WriteAsync((byte[])[.. size, .. frame], _ended.Token);
        }
    }

    private async ValueTask AskAsync(byte[] frame, ConcurrentDictionary<int, string> asked)
    {
        var request = BinaryPrimitives.ReadInt16BigEndian(frame);
        if (Volatile.Read(ref _hold) is { } hold && hold.Request == request && Interlocked.CompareExchange(ref _hold, null, hold) == hold)
            await hold.WaitAsync(_ended.Token);
        if (request == InitProducerId)
            NameProducer(frame, asked);
    }

    /// <summary>
    /// Header: request, version, correlation id, client id, tags. Body: transactional id, its timeout, producer id, epoch.
    /// </summary>
    private void NameProducer(byte[] frame, ConcurrentDictionary<int, string> asked)
    {
        if (BinaryPrimitives.ReadInt16BigEndian(frame.AsSpan(2)) < FirstWithProducer)
            throw new NotSupportedException("InitProducerId without a producer id.");
        var at = 10 + Math.Max((short)0, BinaryPrimitives.ReadInt16BigEndian(frame.AsSpan(8))) + 1;
        var length = frame[at++] - 1;
        if (length < 0)
            return;
        var id = Encoding.UTF8.GetString(frame, at, length);
        asked[BinaryPrimitives.ReadInt32BigEndian(frame.AsSpan(4))] = id;
        var producer = frame.AsSpan(at + length + sizeof(int));
        if (BinaryPrimitives.ReadInt64BigEndian(producer) >= 0 || !_producers.TryGetValue(id, out var known))
            return;
        BinaryPrimitives.WriteInt64BigEndian(producer, known.Id);
        BinaryPrimitives.WriteInt16BigEndian(producer[sizeof(long)..], known.Epoch);
    }

    /// <summary>Correlation id, tags, throttle time, error, producer id, epoch.</summary>
    private ValueTask Answer(byte[] frame, ConcurrentDictionary<int, string> asked)
    {
        if (
            asked.TryRemove(BinaryPrimitives.ReadInt32BigEndian(frame), out var id)
            && BinaryPrimitives.ReadInt16BigEndian(frame.AsSpan(9)) == 0
        )
            _producers[id] = (BinaryPrimitives.ReadInt64BigEndian(frame.AsSpan(11)), BinaryPrimitives.ReadInt16BigEndian(frame.AsSpan(19)));
        return ValueTask.CompletedTask;
    }
}

/// <summary>A request that does not arrive until it is released.</summary>
public sealed class HeldRequest
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal HeldRequest(short request) => Request = request;

    internal short Request { get; }

    /// <summary>Ends when the request is on its way.</summary>
    public Task Reached => _reached.Task;

    public void Release() => _released.TrySetResult();

    internal Task WaitAsync(CancellationToken ct)
    {
        _reached.TrySetResult();
        return _released.Task.WaitAsync(ct);
    }
}
