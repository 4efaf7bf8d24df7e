using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Cdc.Core.Changes;
using Cdc.Core.Telemetry;

namespace Cdc.Log.InProcess;

/// <summary>
/// The change log of one process: a channel bounded by bytes. It dies with the session.
/// </summary>
public sealed class InProcessLog(long maxBytes, PipelineStatistics? statistics = null) : IChangeLogWriter, IChangeLogReader, IDisposable
{
    private readonly Channel<ChangeBatch> _channel = Channel.CreateUnbounded<ChangeBatch>(
        new UnboundedChannelOptions { SingleReader = true, SingleWriter = true }
    );
    private readonly ByteBound _bound = new(maxBytes);

    /// <summary>Bytes appended and not read yet.</summary>
    public long Bytes => _bound.Bytes;

    public bool IsHalfFull => _bound.IsHalfFull;

    public async ValueTask AppendAsync(ChangeBatch batch, CancellationToken ct)
    {
        await _bound.TakeAsync(batch.Bytes, ct);
        statistics?.PutIntoLog(batch.Count);
        _channel.Writer.TryWrite(batch);
    }

    public void Close(Exception? reason = null) => _channel.Writer.TryComplete(reason);

    public ValueTask<bool> WaitToReadAsync(CancellationToken ct) => _channel.Reader.WaitToReadAsync(ct);

    public bool TryRead([NotNullWhen(true)] out ChangeBatch? batch)
    {
        if (!_channel.Reader.TryRead(out batch))
            return false;
        statistics?.TakenFromLog(batch.Count);
        _bound.GiveBack(batch.Bytes);
        return true;
    }

    public void Dispose()
    {
        statistics?.LogEnded();
        _bound.Dispose();
    }
}
