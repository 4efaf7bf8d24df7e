using System.Globalization;
using Cdc.Core.Configuration;

namespace Cdc.Reconcile.Alerts;

/// <summary>When the continuous comparison alerts, and where the alerts go (section <c>Alerts</c>).</summary>
public sealed record AlertOptions : IOptionSection
{
    /// <summary><c>warning</c>: more percent of the rows than this differ, at a single comparison.</summary>
    public decimal WarnAbovePercent { get; init; }

    /// <summary><c>alert</c>, which is the trigger of a rollback: more percent than this, over both windows.</summary>
    public decimal AlertAbovePercent { get; init; } = 0.1m;

    /// <summary><c>remediation</c>: more percent than this, over both windows.</summary>
    public decimal RemediateAbovePercent { get; init; } = 0.5m;

    /// <summary><c>page</c>: fewer percent than this are equal, over both windows.</summary>
    public decimal PageBelowPercent { get; init; } = 99;

    /// <summary>It goes on now.</summary>
    public TimeSpan ShortWindow { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>It is no blip.</summary>
    public TimeSpan LongWindow { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Comparisons in the long window, below which nothing but a warning is said.</summary>
    public int MinSamples { get; init; } = 3;

    /// <summary>Rows of an entity, below which its share alone fires nothing but a warning: it counts among all.</summary>
    public long MinRows { get; init; } = 1000;

    /// <summary>Where alerts are sent by POST; empty: nowhere.</summary>
    public string Webhook { get; init; } = "";

    /// <summary>How often one is sent in a row, with growing pauses; every minute it is tried anew.</summary>
    public int WebhookAttempts { get; init; } = 4;

    /// <summary>How long one attempt may take.</summary>
    public TimeSpan WebhookTimeout { get; init; } = TimeSpan.FromSeconds(10);

    public void Check(OptionChecks checks)
    {
        Percent(nameof(WarnAbovePercent), WarnAbovePercent);
        Percent(nameof(AlertAbovePercent), AlertAbovePercent);
        Percent(nameof(RemediateAbovePercent), RemediateAbovePercent);
        Percent(nameof(PageBelowPercent), PageBelowPercent);
        checks.Require(ShortWindow > TimeSpan.Zero, nameof(ShortWindow), "must be longer than nothing");
        checks.Require(LongWindow >= ShortWindow, nameof(LongWindow), "must not be shorter than Alerts:ShortWindow");
        checks.AtLeast(nameof(MinSamples), MinSamples, 1);
        checks.AtLeast(nameof(MinRows), MinRows, 0);
        checks.Require(
            Webhook.Length == 0 || (Uri.TryCreate(Webhook, UriKind.Absolute, out var webhook) && webhook.Scheme is "http" or "https"),
            nameof(Webhook),
            "must be a URL such as https://alerts.example/hook"
        );
        checks.Require(WebhookAttempts is > 0 and <= 20, nameof(WebhookAttempts), "must be between 1 and 20");
        checks.Interval(nameof(WebhookTimeout), WebhookTimeout);
        Rising(checks);

        void Percent(string option, decimal value) => checks.Require(IsPercent(value), option, "must be between 0 and 100");
    }

    /// <summary>The worse alert has the higher threshold; one that can never be reached (100) is switched off, and compared with none.</summary>
    private void Rising(OptionChecks checks)
    {
        (string Name, string Shown, decimal Above)[] all =
        [
            (nameof(WarnAbovePercent), "Alerts:WarnAbovePercent", WarnAbovePercent),
            (nameof(AlertAbovePercent), "Alerts:AlertAbovePercent", AlertAbovePercent),
            (nameof(RemediateAbovePercent), "Alerts:RemediateAbovePercent", RemediateAbovePercent),
            (nameof(PageBelowPercent), "100 - Alerts:PageBelowPercent", 100 - PageBelowPercent),
        ];
        if (!all.All(a => IsPercent(a.Above)))
            return;
        var used = all.Where(a => a.Above < 100).ToList();
        foreach (var (lower, higher) in used.Zip(used.Skip(1)))
            checks.Require(
                lower.Above <= higher.Above,
                lower.Name,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"is {lower.Above}, and must not be above {higher.Shown}, which is {higher.Above}: the worse alert would fire first"
                )
            );
    }

    private static bool IsPercent(decimal value) => value is >= 0 and <= 100;
}
