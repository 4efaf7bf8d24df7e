using Cdc.Core.Failures;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Kafka;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

internal static class KafkaBeds
{
    /// <summary>Fills Odoo, starts both ends, and waits until the engine is equal.</summary>
    public static async Task<RunningEnd> StreamAsync(this KafkaPipelineBed bed, CancellationToken ct)
    {
        await bed.Bed.FillAsync(ct);
        var ends = bed.StartBoth();
        await bed.Bed.EqualByItselfAsync(ct);
        return ends;
    }

    /// <summary>The same, with each end to be stopped by itself.</summary>
    public static async Task<(RunningEnd Capture, RunningEnd Apply)> StreamApartAsync(this KafkaPipelineBed bed, CancellationToken ct)
    {
        await bed.Bed.FillAsync(ct);
        var ends = (bed.StartCapture(), bed.StartApply());
        await bed.Bed.EqualByItselfAsync(ct);
        return ends;
    }

    /// <summary>Updates every card, in transactions of their own.</summary>
    public static async Task UpdateCardsAsync(this KafkaPipelineBed bed, int times, CancellationToken ct)
    {
        for (var i = 0; i < times; i++)
            await bed.Bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 1", ct);
    }

    /// <summary>The engine is equal, and has applied so many updates of each card, each once.</summary>
    public static async Task AssertUpdatedAsync(this KafkaPipelineBed bed, int times, CancellationToken ct)
    {
        await bed.Bed.CaughtUpAsync(ct);
        await bed.Bed.AssertEqualAsync(ct);
        Assert.Equal($"{times}", Assert.Single(await bed.Bed.Engine.RowsAsync("SELECT DISTINCT sync_version FROM loyalty_cards", ct)));
    }

    /// <summary>The slot is confirmed up to what was committed before this call: the brokers have it.</summary>
    public static async Task ConfirmedAsync(this KafkaPipelineBed bed, CancellationToken ct)
    {
        var written = await bed.Bed.Source.ScalarAsync<string>("SELECT pg_current_wal_lsn()::text", ct);
        await Eventually.True(
            "the slot is confirmed up to what the brokers have",
            async () =>
                await bed.Bed.Source.ScalarAsync<bool>(
                    $"SELECT confirmed_flush_lsn >= '{written}' FROM pg_replication_slots WHERE slot_name = '{bed.Bed.SourceOptions.SlotName}'",
                    ct
                ),
            ct: ct
        );
    }

    /// <summary>It stops, typed, for a gap of one of these kinds, which is written down in the engine.</summary>
    public static async Task<DeclaredGapException> GapAsync(
        this KafkaPipelineBed bed,
        RunningEnd end,
        CancellationToken ct,
        params string[] kinds
    )
    {
        var gap = await Assert.ThrowsAsync<DeclaredGapException>(() => end.Completion.WaitAsync(TimeSpan.FromSeconds(60), ct));
        Assert.Contains(gap.GapKind, kinds);
        // Where both ends see one of their own, the first is written down, and either may be the one that stops it.
        Assert.Contains(
            Assert.Single(await bed.Bed.Engine.RowsAsync("SELECT state, gap_kind FROM cdc.source", ct)),
            kinds.Select(kind => $"gap|{kind}")
        );
        return gap;
    }

    /// <summary>Both ends are started by an operator who accepts the gap: everything is read again.</summary>
    public static async Task AcceptGapAsync(this KafkaPipelineBed bed, CancellationToken ct)
    {
        bed.Bed.SourceOptions = bed.Bed.SourceOptions with { AcceptGaps = true };
        await bed.EqualOrFailedAsync(bed.StartBoth(), ct);
    }

    /// <summary>Everything is streaming and equal; what stopped the end before that is thrown instead of a time-out.</summary>
    private static async Task EqualOrFailedAsync(this KafkaPipelineBed bed, RunningEnd end, CancellationToken ct)
    {
        using var given = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var equal = bed.Bed.EqualByItselfAsync(given.Token);
        if (await Task.WhenAny(equal, end.Completion) == end.Completion)
        {
            await given.CancelAsync();
            await end.Completion;
        }
        await equal;
    }

    public static Task SaysAsync(this KafkaPipelineBed bed, string words, CancellationToken ct) =>
        Eventually.True(
            $"it says '{words}'",
            () => bed.Bed.Log.Lines.Any(l => l.Contains(words, StringComparison.Ordinal)),
            () => string.Join(Environment.NewLine, bed.Bed.Log.Lines.TakeLast(20)),
            ct: ct
        );
}
