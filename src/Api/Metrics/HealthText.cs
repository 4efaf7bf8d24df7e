using Cdc.Api.Operations;

namespace Cdc.Api.Metrics;

/// <summary>
/// Health in Prometheus' text format, for a job that needs no key. Beside /metrics it tells a process that is gone from one that refuses
/// the key: a scrape that is refused, and one that nothing answers, are both only <c>up == 0</c>.
/// </summary>
internal static class HealthText
{
    public static string Write(HealthView health) =>
        string.Join(
            '\n',
            [
                "# HELP cdc_health 1 for the status that /health answers.",
                "# TYPE cdc_health gauge",
                .. HealthView.Statuses.Select(s => $"cdc_health{{status=\"{s}\"}} {(s == health.Status ? 1 : 0)}"),
                "# HELP cdc_health_check 1 where that check of /health is healthy.",
                "# TYPE cdc_health_check gauge",
                .. health.Checks.Select(c => $"cdc_health_check{{check=\"{c.Name}\"}} {(c.Status == "healthy" ? 1 : 0)}"),
                "",
            ]
        );
}
