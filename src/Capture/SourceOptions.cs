using System.Text.RegularExpressions;
using Cdc.Capture.Source;
using Cdc.Core.Configuration;

namespace Cdc.Capture;

/// <summary>Odoo's database (section <c>Source</c>).</summary>
public sealed partial record SourceOptions : IOptionSection
{
    /// <summary>Npgsql connection string of a role with REPLICATION and SELECT on the declared tables.</summary>
    public string ConnectionString { get; init; } = "";
    public string SlotName { get; init; } = "cdc_loyalty";
    public string Publication { get; init; } = "cdc_loyalty";

    /// <summary>Memory of the server's decoder before it spills a transaction to its disk.</summary>
    public string LogicalDecodingWorkMem { get; init; } = "256MB";

    /// <summary>Between two heartbeats, which bound how long streamed keys are remembered and how long an idle database pins WAL.</summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>True: a declared gap is accepted without an operator. Everything is then read again.</summary>
    public bool AcceptGaps { get; init; }

    /// <summary>
    /// True: a declared gap ends <c>cdc run</c> also where it serves the Api, for a supervisor that should see it. <c>--exit-on-gap</c>.
    /// </summary>
    public bool ExitOnGap { get; init; }

    /// <summary>
    /// Keys of one transaction that are remembered for snapshot chunks; above it, chunks of its tables wait until it is visible.
    /// </summary>
    public int RememberedKeys { get; init; } = 1_000_000;

    /// <summary>
    /// No setting: what a session has found at its beginning. Every connection that it opens later must lead there; null: not known yet.
    /// </summary>
    internal SourceIdentity? Identity { get; init; }

    public void Check(OptionChecks checks)
    {
        checks.Require(
            SlotNames().IsMatch(SlotName),
            nameof(SlotName),
            "must be 1 to 63 lower-case letters, digits and underscores, as PostgreSQL demands of slots"
        );
        checks.Require(Publication.Length is > 0 and <= 63, nameof(Publication), "must be 1 to 63 characters");
        checks.Require(
            MemorySizes().IsMatch(LogicalDecodingWorkMem),
            nameof(LogicalDecodingWorkMem),
            "must be a size as PostgreSQL writes it, such as 256MB"
        );
        checks.Interval(nameof(HeartbeatInterval), HeartbeatInterval);
        checks.AtLeast(nameof(RememberedKeys), RememberedKeys, 1);
    }

    [GeneratedRegex("^[a-z0-9_]{1,63}\\z")]
    private static partial Regex SlotNames();

    [GeneratedRegex("^[1-9][0-9]*(kB|MB|GB)\\z")]
    private static partial Regex MemorySizes();
}
