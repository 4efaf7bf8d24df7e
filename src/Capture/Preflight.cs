using Cdc.Capture.Checks;
using Cdc.Capture.Slot;
using Cdc.Capture.Source;
using Cdc.Capture.Tables;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Capture;

/// <summary>
/// Checks everything that following the source needs, and reports all that is missing at once, each with the SQL that fixes it. Changes
/// nothing.
/// </summary>
public static class Preflight
{
    /// <summary>Of slot, markers and chunks.</summary>
    private static readonly string[] Functions =
    [
        "pg_create_logical_replication_slot",
        "pg_drop_replication_slot",
        "pg_logical_emit_message",
        "pg_current_wal_insert_lsn",
        "pg_current_xact_id",
        "pg_current_snapshot",
    ];

    /// <returns>
    /// Errors and warnings; empty when all is well. A source that cannot be asked gives one finding alone, with a code of
    /// <see cref="SourceFailure"/>, and its kind.
    /// </returns>
    public static async Task<IReadOnlyList<Finding>> CheckAsync(SourceOptions options, EntitySet entities, CancellationToken ct)
    {
        try
        {
            await using var connection = await SourceConnection.OpenAsync(options, ct);
            return await CheckAsync(connection, options, entities, ct);
        }
        catch (Exception e) when (SourceFailure.Of(e) is { } failure)
        {
            return [ConnectPrivilege.Missing(Server.Source, e, ServerTimeouts.Settings(options.ConnectionString)) ?? failure.ToFinding()];
        }
        catch (ArgumentException e)
        {
            return
            [
                new Finding(
                    "source-connection-string",
                    IsError: true,
                    $"Source:ConnectionString cannot be read: {e.Message}",
                    "Write it as Host=…;Port=5432;Database=…;Username=…;Password=…"
                )
                {
                    Kind = FailureKind.Configuration,
                },
            ];
        }
    }

    /// <summary>
    /// The findings for an engine that follows the source already. A table that cannot be followed is no reason to keep all others
    /// waiting: only that table stops, and it goes on when it is repaired. What a publication left out of all of them is a break in
    /// continuity, which is found and recorded next.
    /// </summary>
    public static IReadOnlyList<Finding> WhenFollowing(IEnumerable<Finding> findings) =>
        [
            .. findings.Select(f =>
                f.Code is PublicationCheck.Partial or SlotSettings.Standbys || Obstacles.OfOneTable.Contains(f.Code)
                    ? f with
                    {
                        IsError = false,
                    }
                    : f
            ),
        ];

    /// <summary>
    /// The findings at a first start. A table of which a column cannot be read stops alone, unless it is the same with each of them: then
    /// the declaration is for another source.
    /// </summary>
    public static IReadOnlyList<Finding> WhenFirst(IReadOnlyList<Finding> findings, EntitySet entities)
    {
        var broken = findings.Where(f => f is { IsError: true, Table: not null }).Select(f => f.Table).Distinct().Count();
        return broken == entities.All.Select(e => e.SourceName).Distinct().Count()
            ? findings
            : [.. findings.Select(f => Obstacles.OfColumns.Contains(f.Code) ? f with { IsError = false } : f)];
    }

    private static async Task<IReadOnlyList<Finding>> CheckAsync(
        NpgsqlConnection connection,
        SourceOptions options,
        EntitySet entities,
        CancellationToken ct
    )
    {
        var server = await ServerCheck.ReadAsync(connection, ct);
        if (server.IsTooOldToAsk)
            return [.. server.Findings(hasSlot: true, isStreaming: true)];
        var slot = await SlotSetup.ReadAsync(connection, options.SlotName, ct);
        var catalog = await CatalogReader.ReadAsync(connection, options.Publication, entities.All, ct);
        var functions = await FunctionPrivileges.MissingAsync(connection, "role-function", Functions, ct);
        var settings = await SlotSettings.ReadAsync(connection, ct);
        List<Finding> ofTables =
        [
            .. catalog.Tables.SelectMany(t => TableJudge.Judge(t.Entity, t.Table, catalog.Publication is { WithGenerated: true })),
        ];
        var odoo = await OdooInstallation.ReadAsync(connection, ct);
        var publication = await PublicationCheck.FindingsAsync(connection, options.Publication, catalog, server, ct);
        IEnumerable<Finding> findings =
        [
            .. odoo?.Findings(entities, fits: ofTables.Count == 0) ?? [],
            .. server.Findings(hasSlot: slot is not null, isStreaming: slot is { IsActive: true }),
            .. functions,
            .. ofTables,
            .. catalog.Tables.SelectMany(t => TableJudge.Harm(t.Entity, t.Table)),
            .. catalog.Tables.SelectMany(t => TableJudge.Warnings(t.Entity, t.Table)),
            .. publication,
            // Slot, markers and chunks need none; a standby is found above.
            .. !server.IsStandby
            && PublicationCheck.IsWritten(catalog, publication)
            && await WriteRefusal.FindAsync(connection, Server.Source, ct) is { } refusal
                ? (Finding[])[refusal]
                : [],
            .. slot is null ? [] : SlotCheck.Findings(slot, server.Database),
            .. settings.Findings(slot, server.Database),
            .. await MissingStandbys.FindAsync(connection, Server.Source, ct) is { } missing ? (Finding[])[missing] : [],
            .. ServerEncoding.FindingOf(Server.Source, ServerEncoding.Of(connection.PostgresParameters)) is { } encoding
                ? (Finding[])[encoding]
                : [],
            .. await Pooler.IsBetweenAsync(connection, ct) ? await PoolerCheck.FindAsync(options, ct) : [],
        ];
        // A table that feeds two entities is one table.
        return [.. findings.Distinct()];
    }
}
