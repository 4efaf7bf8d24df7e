using Cdc.Core.Failures;
using Cdc.Log;

namespace Cdc.Host.Configuration;

/// <summary>
/// Settings that have no effect beside another one, which may be meant so: one file often serves several processes. A warning of
/// <c>cdc check</c>; what cannot be meant is refused at once (<see cref="OptionRules"/>).
/// </summary>
internal static class OptionAdvice
{
    public static IEnumerable<Finding> Find(CdcOptions options)
    {
        if (options.Log.Kind == ChangeLogKind.InProcess && options.Kafka.BootstrapServers.Length > 0)
            yield return Idle("Kafka:BootstrapServers", "Log:Kind is InProcess", "CDC__Log__Kind=Kafka");
        if (options.Source is { AcceptGaps: true, ExitOnGap: true })
            yield return Idle("Source:ExitOnGap", "Source:AcceptGaps accepts every gap but slot-foreign", "CDC__Source__AcceptGaps=false");
        if (options.Continuous.Enabled)
            yield break;
        const string why = "Continuous:Enabled is false";
        const string how = "CDC__Continuous__Enabled=true";
        if (options.Continuous.Repair)
            yield return Idle("Continuous:Repair", why, how);
        if (options.Continuous.Cutover.Length > 0)
            yield return Idle("Continuous:Cutover", why, how);
        if (options.Alerts.Webhook.Length > 0)
            yield return Idle("Alerts:Webhook", why + ", and without it no alert is evaluated", how);
    }

    private static Finding Idle(string option, string why, string how) =>
        new("option-idle", IsError: false, $"{option} is set and has no effect: {why}.", $"Set {how}, or take {option} out.");
}
