using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Cdc.Core.Changes;
using Cdc.Core.Telemetry;

namespace Cdc.Log.InProcess;

/// <summary>
/// The change log of one process: a channel bounded by bytes, not by items, because one row may be a megabyte. It dies with the session;
/// a batch larger than the bound passes alone.
/// </summary>
public sealed class InProcessLog(long maxBytes, PipelineStatistics? statistics = null) : IChangeLogWriter, IChangeLogReader, IDisposable
{
    private readonly Channel<ChangeBatch> _channel = Channel.CreateUnbounded<ChangeBatch>(
        new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
    private readonly SemaphoreSlim _space = new(0, 1);
    private long _bytes;
    private int _waiting;

    /// <summary>Bytes appended and not read yet.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    public bool IsHalfFull => Bytes >= maxBytes / 2;

    public async ValueTask AppendAsync(ChangeBatch batch, CancellationToken ct)
    {
        while (Interlocked.Read(ref _bytes) is var held && held > 0 && held + batch.Bytes > maxBytes)
        {
            Volatile.Write(ref _waiting, 1);
            // The reader may have made space between the look and the flag: look again before waiting for its signal.
            if (Interlocked.Read(ref _bytes) is var again && (again == 0 || again + batch.Bytes <= maxBytes)) break;
            await _space.WaitAsync(ct).ConfigureAwait(false);
        }
        Interlocked.Add(ref _bytes, batch.Bytes);
        statistics?.PutIntoLog(batch.Count);
        _channel.Writer.TryWrite(batch);
    }

    public void Close(Exception? reason = null) => _channel.Writer.TryComplete(reason);

    public ValueTask<bool> WaitToReadAsync(CancellationToken ct) => _channel.Reader.WaitToReadAsync(ct);

    public bool TryRead([NotNullWhen(true)] out ChangeBatch? batch)
    {
        if (!_channel.Reader.TryRead(out batch)) return false;
        statistics?.TakenFromLog(batch.Count);
        Interlocked.Add(ref _bytes, -batch.Bytes);
        if (Interlocked.Exchange(ref _waiting, 0) == 1 && _space.CurrentCount == 0) _space.Release();
        return true;
    }

    public void Dispose()
    {
        statistics?.LogEnded();
        _space.Dispose();
    }
}
