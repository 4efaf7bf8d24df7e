using System.Text.RegularExpressions;
using Cdc.Tests.Integration.Faults;
using Cdc.Tests.Support.Pipeline;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline.Matrix;

/// <summary>Who owns the source: makes changes to it, and obeys what cdc says.</summary>
/// <param name="role">With which cdc reads; null: with the owner's own.</param>
internal sealed partial class SourceOwner(PipelineBed bed, ReaderRole? role)
{
    public const string Entity = "history";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>The publication, what the changes need, and what the role may do.</summary>
    public async Task PrepareAsync(params IEnumerable<TableChange> changes)
    {
        await RunAsync([
            $"CREATE PUBLICATION {"{p}"} FOR TABLE {string.Join(", ", bed.Entities.All.Select(e => e.SourceName).Distinct())}",
            .. changes.SelectMany(c => c.Before),
        ]);
        if (role is null)
            return;
        await bed.Source.ExecuteAsync(
            $"ALTER ROLE {role.Name} REPLICATION; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role.Name}",
            Ct
        );
        bed.SourceOptions = bed.SourceOptions with { ConnectionString = role.ConnectionString };
    }

    public async Task RunAsync(params IEnumerable<string> statements)
    {
        var mapped = bed.Entities.All.Single(e => e.Name == Entity).SourceColumns.Select(c => c.Name);
        foreach (var statement in statements)
            await ExecuteAsync(
                statement
                    .Replace("{p}", bed.SourceOptions.Publication, StringComparison.Ordinal)
                    .Replace("{r}", role?.Name, StringComparison.Ordinal)
                    .Replace("{mapped}", string.Join(", ", mapped), StringComparison.Ordinal)
            );
    }

    /// <summary>
    /// Runs the SQL of the reason with which a table has stopped. All at once: cdc may publish a table again that is taken out in the first
    /// statement.
    /// </summary>
    public async Task ObeyAsync(string reason)
    {
        var remedies = Remedies().Matches(reason).Select(m => m.Value).ToList();
        Assert.True(remedies.Count > 0, $"It names no SQL: {reason}");
        await ExecuteAsync(string.Join(' ', remedies));
    }

    /// <summary>
    /// A change breaks Odoo too: its table, column or privilege is not there (42), or the table is of another kind, or has no identity to
    /// update by. Odoo shows that to whoever clicked, and works on.
    /// </summary>
    public static bool IsOfChangedTable(PostgresException e) =>
        e.SqlState[..2] is "42" || e.SqlState is PostgresErrorCodes.ObjectNotInPrerequisiteState or PostgresErrorCodes.FeatureNotSupported;

    private async Task ExecuteAsync(string sql)
    {
        while (true)
            try
            {
                await bed.Source.ExecuteAsync(sql, Ct);
                return;
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.DeadlockDetected)
            {
                // With Odoo at work. All of it was rolled back.
            }
    }

    [GeneratedRegex(@"\b(ALTER (TABLE|ROLE|PUBLICATION)|GRANT) [^;]*;")]
    private static partial Regex Remedies();
}
