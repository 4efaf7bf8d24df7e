using Cdc.Tests.Support;

namespace Cdc.Tests.Integration.Host;

/// <summary>ops/sql/least-privilege.sql, part by part.</summary>
internal static class LeastPrivilege
{
    /// <param name="heading">How the part's heading begins.</param>
    /// <param name="suffix">Of the test's own roles, because roles are shared by a server's databases.</param>
    public static string Part(string heading, string suffix)
    {
        var parts = File.ReadAllText(SourceTree.PathOf("ops/sql/least-privilege.sql")).Split("-- == ");
        var part = "-- " + parts.Single(p => p.StartsWith(heading, StringComparison.Ordinal));
        return Roles.Aggregate(part, (sql, role) => sql.Replace(role, role + suffix, StringComparison.Ordinal));
    }

    private static readonly string[] Roles = ["cdc_source", "cdc_engine", "cdc_reconcile_source", "cdc_reconcile_engine"];
}
