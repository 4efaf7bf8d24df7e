using Cdc.Capture.Source;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Microsoft.Extensions.Logging;
using Npgsql;
using Npgsql.Replication;
using Npgsql.Replication.Internal;
using NpgsqlTypes;

namespace Cdc.Capture.Stream;

/// <summary>
/// The stream of decoded messages of one slot. Order: the WAL's. Duplicates: after a reconnect, everything that was not confirmed comes
/// again. One reader; <see cref="ConfirmAsync"/> may be called beside it.
/// </summary>
internal sealed class ReplicationSource : IAsyncDisposable
{
    /// <summary>A buffer that one large row made grow is given back with the next row.</summary>
    private const int KeptPayload = 1 << 20;

    /// <summary>The oldest that can be followed, and the first that ends a long transaction, a walsender's too.</summary>
    private static readonly Version OldestServer = new(14, 0);
    private static readonly Version HasTransactionTimeout = new(17, 0);

    private readonly LogicalReplicationConnection _connection;
    private readonly SourceOptions _options;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _confirming = new(1, 1);
    private IAsyncEnumerator<XLogDataMessage>? _messages;
    private Task<bool>? _first;
    private Task? _reading;
    private ReceiveLowWater? _lowWater;
    private byte[] _payload = new byte[8192];
    private Lsn _confirmed;
    private bool _disposed;

    private ReplicationSource(LogicalReplicationConnection connection, SourceOptions options, ILogger log) =>
        (_connection, _options, _log) = (connection, options, log);

    /// <summary>Packets are gathered by the kernel rather than announced one by one.</summary>
    public bool GathersPackets => _lowWater is not null;

    /// <summary>Process id of the walsender.</summary>
    public int WalSenderPid => _connection.ProcessID;

    /// <exception cref="NpgsqlException">The server cannot be reached, or refuses the role.</exception>
    public static Task<ReplicationSource> ConnectAsync(SourceOptions options, ILogger log, CancellationToken ct) =>
        ConnectAsync(options, ReplicationTimeouts.Default, log, ct);

    internal static async Task<ReplicationSource> ConnectAsync(
        SourceOptions options,
        ReplicationTimeouts timeouts,
        ILogger log,
        CancellationToken ct
    )
    {
        var connection = await OpenAsync(options, timeouts, new ReplicatedServer(OldestServer), ct);
        // A newer server has settings that an older one refuses; most often they already have the right values.
        var hasOther =
            connection.PostgreSqlVersion >= HasTransactionTimeout && await ShowAsync(connection, "transaction_timeout", ct) != "0";
        var encoding = await ShowAsync(connection, "server_encoding", ct);
        if (hasOther || encoding == ServerEncoding.None)
        {
            var server = new ReplicatedServer(hasOther ? connection.PostgreSqlVersion : OldestServer, encoding);
            await connection.DisposeAsync();
            connection = await OpenAsync(options, timeouts, server, ct);
        }
        return new ReplicationSource(connection, options, log);
    }

    private static async Task<LogicalReplicationConnection> OpenAsync(
        SourceOptions options,
        ReplicationTimeouts timeouts,
        ReplicatedServer server,
        CancellationToken ct
    )
    {
        var connection = new LogicalReplicationConnection(ReplicationConnectionString.For(options, timeouts, server))
        {
            WalReceiverStatusInterval = timeouts.StatusInterval,
            WalReceiverTimeout = timeouts.Receiver,
        };
        try
        {
            await connection.Open(ct);
            return connection;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.ProtocolViolation)
        {
            await connection.DisposeAsync();
            throw new CdcException(
                FailureKind.Configuration,
                $"What answers for the source takes no replication connection: {e.MessageText}. A pooler may be between.",
                "Name the server itself in Source:ConnectionString, and not a pooler: what decodes changes is not pooled.",
                e
            );
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private static async Task<string> ShowAsync(LogicalReplicationConnection connection, string setting, CancellationToken ct)
    {
        try
        {
            return await connection.Show(setting, ct);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public async Task<IdentifiedSource> IdentifyAsync(CancellationToken ct)
    {
        var system = await _connection.IdentifySystem(ct);
        await using var connection = await SourceConnection.OpenAsync(_options, ct);
        var (systemIdentifier, oid) = await SourceConnection.IdentifyAsync(connection, ct);
        SourceConnection.RequireSame((system.SystemId, oid), (systemIdentifier, oid));
        var uuid = await SourceConnection.OdooUuidAsync(connection, ct);
        var identity = new SourceIdentity(system.SystemId, checked((int)system.Timeline), system.DbName ?? "", oid, uuid);
        return new IdentifiedSource(identity, new Lsn((ulong)system.XLogPos));
    }

    /// <summary>
    /// Where the server left <paramref name="followed"/> on its way to <paramref name="current"/>; null if it never was on it.
    /// </summary>
    public async Task<Lsn?> SwitchPointAsync(int current, int followed, CancellationToken ct)
    {
        if (current <= 1)
            return null;
        return TimelineHistory.SwitchPoint(await TimelineHistory.ReadAsync(_connection, current, ct), followed);
    }

    /// <summary>
    /// Asks for the stream from <paramref name="start"/>, or from where the slot was confirmed if that is later. What the server answers to
    /// it (no such slot, slot in use) is thrown by the first <see cref="ReadAsync"/>.
    /// </summary>
    public async Task StartAsync(Lsn start, CancellationToken ct)
    {
        KeyValuePair<string, string?>[] pluginOptions =
        [
            new("proto_version", "1"),
            new("publication_names", PublicationNames(_options.Publication)),
            new("messages", "true"),
            new("binary", "true"),
        ];
        var localPort = await ReceiveLowWater.ClientPortAsync(_options, _connection.ProcessID, ct);
        _messages = _connection
            .StartLogicalReplication(
                new PgOutputSlot(_options.SlotName),
                _stop.Token,
                new NpgsqlLogSequenceNumber(start.Value),
                pluginOptions
            )
            .GetAsyncEnumerator(CancellationToken.None);
        // The enumerator sends START_REPLICATION when it is first moved.
        _first = _messages.MoveNextAsync().AsTask();
        _lowWater = ReceiveLowWater.TryAttach(localPort, _options);
    }

    /// <summary>The first message has arrived: the server has given the slot to this stream.</summary>
    public bool HasBegun => _first is { IsCompletedSuccessfully: true };

    /// <summary>Throws what the server answered if it did not start the stream.</summary>
    public Task ThrowIfRefusedAsync() => _first is { IsFaulted: true } refused ? refused : Task.CompletedTask;

    /// <summary>
    /// The next message; null when the server ended the stream. Completes synchronously while more is buffered: a caller flushes what it
    /// gathered when it would not. Cancelling ends the stream for good.
    /// </summary>
    /// <exception cref="PostgresException">The server refused or ended the stream.</exception>
    /// <exception cref="NpgsqlException">The connection broke, or the server was silent for the receiver's time-out.</exception>
    public ValueTask<WalMessage?> ReadAsync(CancellationToken ct)
    {
        var moved = _first is { } first ? new ValueTask<bool>(first) : Messages.MoveNextAsync();
        _first = null;
        var read = moved.IsCompletedSuccessfully ? Receive(moved.Result, ct) : ReceiveLater(moved, ct);
        if (read.IsCompleted)
            return read;
        var reading = read.AsTask();
        _reading = reading;
        return new ValueTask<WalMessage?>(reading);
    }

    /// <summary>
    /// Confirms to the server that everything below <paramref name="flushed"/> is durable downstream. Never steps back. A connection that
    /// broke is reported by <see cref="ReadAsync"/>, not here.
    /// </summary>
    public async Task ConfirmAsync(Lsn flushed, CancellationToken ct)
    {
        await _confirming.WaitAsync(ct);
        try
        {
            // Npgsql sends any position, and older servers accept it, backwards too.
            _confirmed = Lsn.Max(_confirmed, flushed);
            _connection.SetReplicationStatus(new NpgsqlLogSequenceNumber(_confirmed.Value));
            await _connection.SendStatusUpdate(ct);
        }
        catch (Exception e) when (e is InvalidOperationException or NullReferenceException && _messages is not null)
        {
            // Npgsql has left the replication state (or is leaving it just now): the reader gets the reason.
            CaptureLog.StatusNotSent(_log, _options.SlotName, flushed);
        }
        finally
        {
            _confirming.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        _lowWater?.Dispose();
        await EndStreamAsync();
        await _connection.DisposeAsync();
        _stop.Dispose();
        _confirming.Dispose();
    }

    /// <summary>A list of identifiers inside a string literal, which Npgsql does not quote.</summary>
    private static string PublicationNames(string publication) => Sql.Identifier(publication).Replace("'", "''", StringComparison.Ordinal);

    private IAsyncEnumerator<XLogDataMessage> Messages => _messages ?? throw new InvalidOperationException("The stream was not started.");

    private async ValueTask<WalMessage?> ReceiveLater(ValueTask<bool> moved, CancellationToken ct)
    {
        using var _ = ct.UnsafeRegister(static stop => ((CancellationTokenSource)stop!).Cancel(), _stop);
        return await Receive(await moved, ct);
    }

    private ValueTask<WalMessage?> Receive(bool any, CancellationToken ct)
    {
        if (!any)
            return default;
        var message = Messages.Current;
        var length = checked((int)message.Data.Length);
        _lowWater?.Received(length);
        Reserve(length);
        // This read is not cancellable: a half-read message cannot be read again.
        var read = message.Data.ReadAsync(_payload.AsMemory(0, length), CancellationToken.None);
        if (!read.IsCompletedSuccessfully)
            return FillLater(message, read.AsTask(), length, ct);
        var filled = read.Result;
        return filled == length
            ? new ValueTask<WalMessage?>(Framed(message, length))
            : FillLater(message, Task.FromResult(filled), length, ct);
    }

    private async ValueTask<WalMessage?> FillLater(XLogDataMessage message, Task<int> read, int length, CancellationToken ct)
    {
        using var _ = ct.UnsafeRegister(static stop => ((CancellationTokenSource)stop!).Cancel(), _stop);
        var filled = await read;
        await message.Data.ReadExactlyAsync(_payload.AsMemory(filled, length - filled), CancellationToken.None);
        return Framed(message, length);
    }

    private WalMessage Framed(XLogDataMessage message, int length) => new(new Lsn((ulong)message.WalStart), _payload.AsMemory(0, length));

    private void Reserve(int length)
    {
        if (_payload.Length < length || (_payload.Length > KeptPayload && length <= KeptPayload / 2))
            _payload = GC.AllocateUninitializedArray<byte>(
                Math.Max(8192, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)length))
            );
    }

    /// <summary>
    /// Npgsql wants its enumerator drained before the connection is disposed. A started read is awaited first, whether or not its caller
    /// still waits for it: two concurrent moves break the enumerator, on a thread where the exception cannot be caught (seen: it ends the
    /// process).
    /// </summary>
    private async Task EndStreamAsync()
    {
        await _stop.CancelAsync();
        if (_messages is null)
            return;
        try
        {
            if ((_first ?? _reading) is { } begun)
                await begun;
            while (await _messages.MoveNextAsync()) { }
        }
        catch (Exception e)
            when (e is OperationCanceledException or NpgsqlException or ObjectDisposedException or InvalidOperationException or IOException)
        {
            CaptureLog.StreamEnded(_log, _options.SlotName, e.GetType().Name);
        }
        await _messages.DisposeAsync();
    }
}
