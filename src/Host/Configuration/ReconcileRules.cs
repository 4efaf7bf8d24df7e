using Cdc.Reconcile.Alerts;
using Cdc.Reconcile.Continuous;

namespace Cdc.Host.Configuration;

/// <summary>What the options of the comparison beside the pipeline, and of its alerts, must satisfy.</summary>
/// <param name="require">Told whether something holds, of which option, and what it must be.</param>
internal sealed class ReconcileRules(Action<bool, string, string> require)
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    public void Check(ContinuousOptions options)
    {
        require(
            options.Interval > TimeSpan.Zero && options.Interval <= Day,
            "Continuous:Interval",
            "must be longer than nothing and at most a day"
        );
        require(
            options.Cutover.Length == 0 || Schedule.ParseCutover(options.Cutover) is not null,
            "Continuous:Cutover",
            "must be a time such as 2026-01-31T12:00:00Z"
        );
        require(options.LoadPercent is > 0 and <= 100, "Continuous:LoadPercent", "must be between 1 and 100");
        require(
            options.SliceTime > TimeSpan.Zero && options.SliceTime <= TimeSpan.FromMinutes(5),
            "Continuous:SliceTime",
            "must be longer than nothing and at most 5 minutes"
        );
        require(options.KeepDays > 0, "Continuous:KeepDays", "must be at least 1");
    }

    public void Check(AlertOptions options)
    {
        Percent("Alerts:WarnAbovePercent", options.WarnAbovePercent);
        Percent("Alerts:AlertAbovePercent", options.AlertAbovePercent);
        Percent("Alerts:RemediateAbovePercent", options.RemediateAbovePercent);
        Percent("Alerts:PageBelowPercent", options.PageBelowPercent);
        require(options.ShortWindow > TimeSpan.Zero, "Alerts:ShortWindow", "must be longer than nothing");
        require(options.LongWindow >= options.ShortWindow, "Alerts:LongWindow", "must not be shorter than Alerts:ShortWindow");
        require(options.MinSamples > 0, "Alerts:MinSamples", "must be at least 1");
        require(options.MinRows >= 0, "Alerts:MinRows", "must be at least 0");
        require(
            options.Webhook.Length == 0
                || (Uri.TryCreate(options.Webhook, UriKind.Absolute, out var webhook) && webhook.Scheme is "http" or "https"),
            "Alerts:Webhook",
            "must be a URL such as https://alerts.example/hook"
        );
        require(options.WebhookAttempts is > 0 and <= 20, "Alerts:WebhookAttempts", "must be between 1 and 20");
        require(
            options.WebhookTimeout >= TimeSpan.FromMilliseconds(10) && options.WebhookTimeout <= TimeSpan.FromMinutes(5),
            "Alerts:WebhookTimeout",
            "must be between 10 ms and 5 minutes"
        );
    }

    private void Percent(string path, decimal value) => require(value is >= 0 and <= 100, path, "must be between 0 and 100");
}
