using System.Text.RegularExpressions;

namespace Cdc.Tests.Integration.OnCall;

/// <summary>
/// The delivered alert rules, as they are but for what nobody can wait for: how long something must have been so, and how old or large it
/// must be.
/// </summary>
internal sealed partial class DrilledRules
{
    private static readonly (string Delivered, string Drilled)[] Thresholds =
    [
        ("max by (instance, topic) (cdc_lag_seconds) > 60", "max by (instance, topic) (cdc_lag_seconds) > 2"),
        ("cdc_slot_retained_bytes > 10e9", "cdc_slot_retained_bytes > 40e6"),
        ("cdc_source_oldest_transaction_seconds > 3600", "cdc_source_oldest_transaction_seconds > 1"),
        ("increase(cdc_quarantined_rows_total[15m])", "increase(cdc_quarantined_rows_total[6s])"),
        (
            "rate(cdc_http_request_duration_seconds_bucket{route=~\"/cards/.*\"}[5m])",
            "rate(cdc_http_request_duration_seconds_bucket{route=~\"/cards/.*\"}[4s])"
        ),
    ];

    private DrilledRules(string text, IReadOnlyDictionary<string, string> runbooks) => (Text, Runbooks) = (text, runbooks);

    public string Text { get; }

    /// <summary>By alert, the runbook that it names.</summary>
    public IReadOnlyDictionary<string, string> Runbooks { get; }

    public static async Task<DrilledRules> ReadAsync(CancellationToken ct)
    {
        var text = await File.ReadAllTextAsync(SourceTree.PathOf("ops/prometheus/cdc.rules.yml"), ct);
        var runbooks = Alert().Matches(text).ToDictionary(a => a.Groups["name"].Value, a => a.Groups["runbook"].Value);
        foreach (var (delivered, drilled) in Thresholds)
            text = text.Contains(delivered, StringComparison.Ordinal)
                ? text.Replace(delivered, drilled, StringComparison.Ordinal)
                : throw new InvalidOperationException($"The rules have no '{delivered}' any more: correct the drill.");
        return new DrilledRules(For().Replace(text, "for: 0s"), runbooks);
    }

    [GeneratedRegex("for: [0-9]+[smh]")]
    private static partial Regex For();

    [GeneratedRegex("- alert: (?<name>\\w+)\n.*?runbook: (?<runbook>\\S+)", RegexOptions.Singleline)]
    private static partial Regex Alert();
}
