using System.Text.Json;
using Cdc.Reconcile.Alerts;
using Cdc.Tests.Support.Network;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Reconcile;

/// <summary>The webhook gets every alert, at least once, however often it was not there.</summary>
public sealed class AlertDeliveryTests(TestServers servers)
{
    [Fact]
    public async Task An_alert_is_sent_once_when_it_fires()
    {
        await using var hook = await Webhook.StartAsync(ComparisonBed.Ct);
        await using var bed = await FiredAsync(hook);
        var sent = JsonDocument.Parse(Assert.Single(hook.Bodies)).RootElement;
        Assert.Equal(
            ("warning", false, "card"),
            (sent.GetProperty("alert").GetString(), sent.GetProperty("rollback").GetBoolean(), sent.GetProperty("scope").GetString())
        );
        Assert.Equal(ContinuousBed.Noon.AddMinutes(1), sent.GetProperty("firedAt").GetDateTimeOffset());
        Assert.Contains("cdc alerts rearm warning", sent.GetProperty("text").GetString(), StringComparison.Ordinal);
        await bed.MinuteAsync();
        Assert.Single(hook.Bodies);
    }

    [Fact]
    public async Task One_that_is_not_taken_is_sent_again_with_growing_pauses()
    {
        await using var hook = await Webhook.StartAsync(ComparisonBed.Ct, 503, 500, 200);
        await using var bed = await ContinuousBed.CreateAsync(servers, 100);
        bed.Alerts = new AlertOptions { Webhook = hook.Address, WebhookTimeout = TimeSpan.FromMinutes(4) };
        await bed.DamageAsync(1);
        bed.Time.Advance(TimeSpan.FromMinutes(1));
        var passing = bed.Worker().PassAsync(ComparisonBed.Ct);
        for (var pause = 1; pause <= 2; pause++)
        {
            await Eventually.True(
                "it pauses",
                () => hook.Bodies.Count == pause && bed.Time.NextAlarm <= TimeSpan.FromSeconds(10),
                ct: ComparisonBed.Ct
            );
            Assert.Equal(TimeSpan.FromSeconds(pause), bed.Time.NextAlarm);
            bed.Time.Advance(TimeSpan.FromSeconds(pause));
        }
        await passing;
        Assert.Equal(3, hook.Bodies.Count);
        Assert.Equal(
            1,
            await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.alerts WHERE delivered_at IS NOT NULL", ComparisonBed.Ct)
        );
    }

    [Fact]
    public async Task One_that_is_never_taken_is_sent_again_a_minute_later_by_whichever_process()
    {
        await using var hook = await Webhook.StartAsync(ComparisonBed.Ct, 404, 200);
        await using var bed = await FiredAsync(hook);
        Assert.Single(hook.Bodies);
        Assert.Contains(bed.Log.Lines, l => l.Contains("did not take warning: it answers 404", StringComparison.Ordinal));
        Assert.DoesNotContain(bed.Log.Lines, l => l.Contains(hook.Address, StringComparison.Ordinal));
        await bed.MinuteAsync(2);
        Assert.Equal(2, hook.Bodies.Count);
    }

    [Fact]
    public async Task One_that_cannot_be_reached_does_not_stop_the_comparison()
    {
        await using var bed = await ContinuousBed.CreateAsync(servers, 100);
        bed.Alerts = new AlertOptions { Webhook = "http://127.0.0.1:1/", WebhookAttempts = 1 };
        await bed.DamageAsync(1);
        await bed.MinuteAsync(2);
        Assert.Equal(3, (await bed.RunsAsync()).Count);
        Assert.Contains(bed.Log.Lines, l => l.Contains("it cannot be reached", StringComparison.Ordinal));
    }

    private async Task<ContinuousBed> FiredAsync(Webhook hook)
    {
        var bed = await ContinuousBed.CreateAsync(servers, 100);
        bed.Alerts = new AlertOptions { Webhook = hook.Address, MinSamples = 100 };
        await bed.DamageAsync(1);
        await bed.MinuteAsync();
        return bed;
    }
}
