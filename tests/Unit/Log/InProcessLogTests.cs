using Cdc.Core.Changes;
using Cdc.Log.InProcess;
using Cdc.Tests.Unit.Core;
using Xunit;

namespace Cdc.Tests.Unit.Log;

public sealed class InProcessLogTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_writer_waits_at_the_bound_until_something_is_read()
    {
        var batch = Batch(100);
        using var log = new InProcessLog(2 * batch.Bytes);
        await log.AppendAsync(batch, Ct);
        await log.AppendAsync(Batch(100), Ct);
        var third = log.AppendAsync(Batch(100), Ct).AsTask();
        Assert.False(third.IsCompleted);
        Assert.Equal(2 * batch.Bytes, log.Bytes);

        Assert.True(log.TryRead(out var first));
        Assert.Same(batch, first);
        await third.WaitAsync(TimeSpan.FromSeconds(30), Ct);
        Assert.Equal(2 * batch.Bytes, log.Bytes);
    }

    [Fact]
    public async Task A_batch_larger_than_the_bound_passes_alone()
    {
        using var log = new InProcessLog(64);
        await log.AppendAsync(Batch(10_000), Ct);
        var second = log.AppendAsync(Batch(1), Ct).AsTask();
        Assert.False(second.IsCompleted);
        Assert.True(log.TryRead(out _));
        await second.WaitAsync(TimeSpan.FromSeconds(30), Ct);
    }

    [Fact]
    public async Task A_waiting_writer_can_be_cancelled()
    {
        using var log = new InProcessLog(64);
        using var cancel = new CancellationTokenSource();
        await log.AppendAsync(Batch(10_000), Ct);
        var second = log.AppendAsync(Batch(1), cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
    }

    [Fact]
    public async Task Everything_is_read_in_order_while_writer_and_reader_wait_for_each_other()
    {
        using var log = new InProcessLog(300);
        var writing = Task.Run(
            async () =>
            {
                for (var key = 0; key < 5_000; key++)
                    await log.AppendAsync(Batch(key % 50, key), Ct);
                log.Close();
            },
            Ct
        );
        var keys = new List<long>();
        while (await log.WaitToReadAsync(Ct).AsTask().WaitAsync(TimeSpan.FromSeconds(60), Ct))
        while (log.TryRead(out var batch))
            keys.AddRange(batch.Events.Cast<RowChange>().Select(r => r.Key));
        await writing;
        Assert.Equal(Enumerable.Range(0, 5_000).Select(k => (long)k), keys);
        Assert.Equal(0, log.Bytes);
    }

    [Fact]
    public async Task A_reason_to_close_reaches_the_reader()
    {
        using var log = new InProcessLog(64);
        log.Close(new InvalidOperationException("broken"));
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(async () => await log.WaitToReadAsync(Ct));
        Assert.Equal("broken", failure.Message);
    }

    private static ChangeBatch Batch(int bytes, long key = 1)
    {
        var batch = new ChangeBatch();
        batch.Add(SampleChanges.Row(RowChangeKind.Insert, key, values: ["1", new string('x', bytes)]));
        return batch;
    }
}
