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
    /// <summary>
    /// A reader that waits goes on within the writer's call: a small transaction is folded and sent to the engine by the thread that read it,
    /// without waking another. A reader that is behind does not wait, and works beside the writer.
    /// </summary>
    private readonly Channel<ChangeBatch> _channel = Channel.CreateUnbounded<ChangeBatch>(
        new UnboundedChannelOptions
        {
            SingleReader = true,
            SingleWriter = true,
            AllowSynchronousContinuations = true,
        }
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
