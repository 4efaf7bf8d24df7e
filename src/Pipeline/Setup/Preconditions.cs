using Cdc.Capture;
using Cdc.Capture.Checks;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Core.Postgres.Values;
using Cdc.Engine;
using Cdc.Engine.Migrations;
using Cdc.Engine.Ownership;
using Cdc.Engine.Privileges;
using Cdc.Engine.Tables;
using Cdc.Expressions.Declaration;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Cdc.Pipeline.Setup;

/// <summary>
/// What must hold before anything is changed in source or engine. A run checks it in the first session that reaches both, and again after a
/// session was refused something.
/// </summary>
public sealed class Preconditions(PipelineOptions options, EntitySet entities, ILogger log)
{
    private static string MigrationsFolder { get; } = Path.Combine(AppContext.BaseDirectory, "schemas", "engine");

    /// <summary>The delivered migrations first, then those of included presets: the operator's may build on them.</summary>
    /// <param name="own">Folder of the operator's; nothing: there are none.</param>
    /// <exception cref="FindingsException">Migration: files are missing.</exception>
    public static IReadOnlyList<Migrator> Migrators(
        NpgsqlDataSource engine,
        EntitySet entities,
        string own,
        Action<string>? notice = null
    ) =>
        [
            new Migrator(engine, Migration.ReadAll(MigrationsFolder), notice),
            .. entities.Parts.Select(part => OfPreset(engine, part, notice)!),
            .. own.Length == 0
                ? []
                : (IReadOnlyList<Migrator>)[new Migrator(engine, Migration.ReadOwn(Path.GetFullPath(own)), notice, MigrationSeries.Own)],
        ];

    /// <summary>Null: there is no such preset, or it has no tables of its own.</summary>
    public static Migrator? OfPreset(NpgsqlDataSource engine, string preset, Action<string>? notice = null)
    {
        var series = MigrationSeries.OfPreset(preset);
        return Presets.MigrationsOf(preset) is { } folder ? new Migrator(engine, Migration.Read(series, folder), notice, series) : null;
    }

    private bool _held;

    /// <summary>
    /// Everything that is missing on both servers, and every break in continuity. One that is down does not hide what the other lacks.
    /// </summary>
    /// <param name="pause">The source is let go of: nothing is asked of it. Null: it is not.</param>
    public async Task<IReadOnlyList<Finding>> FindAsync(SourcePause? pause, CancellationToken ct)
    {
        var (ofEngine, engineKind) = await EngineFindingsAsync(ct);
        if (pause is not null)
            return [Paused(pause), .. ofEngine];
        var ofSource = await Preflight.CheckAsync(options.Source, entities, ct);
        IReadOnlyList<Finding> missing = [.. ofSource, .. ofEngine];
        if (engineKind == FailureKind.Unavailable)
            return missing;
        var broken = await ContinuityFindingsAsync(missing, ct);
        return ByCause(broken, missing);
    }

    private static Finding Paused(SourcePause pause)
    {
        var said = new PausedException(pause);
        return new Finding("source-paused", IsError: true, $"{said.Message} It was not asked: its findings are not here.", said.Remedy)
        {
            Kind = said.Kind,
        };
    }

    /// <summary>
    /// Another source lacks things because it is another one, and the slot is in the one that was followed. And what both checks report, such as a lost slot, is a gap: creating what is
    /// missing would not fix it.
    /// </summary>
    private static IReadOnlyList<Finding> ByCause(IReadOnlyList<Finding> broken, IReadOnlyList<Finding> missing) =>
        [
            .. broken,
            .. missing.Where(m =>
                broken.All(b =>
                    b.Code != m.Code
                    && !(b.Code == GapKinds.PublicationRenamed && m.Code == GapKinds.PublicationMissing)
                    && !(b.Code == GapKinds.SourceChanged && m.Code == SlotCheck.OfAnotherDatabase)
                )
            ),
        ];

    private async Task<IReadOnlyList<Finding>> ContinuityFindingsAsync(IReadOnlyList<Finding> missing, CancellationToken ct)
    {
        try
        {
            return (await Continuity.ReadAsync(options, entities, log, ct)).Findings;
        }
        catch (Exception e) when (e is CdcException or EngineException)
        {
            var failure = e as CdcException ?? ((EngineException)e).Failure;
            // Its cause is usually among the errors already.
            return missing.Any(f => f.IsError)
                ? []
                : [new Finding("continuity", IsError: true, $"Continuity cannot be checked: {failure.Message}", failure.Remedy)];
        }
    }

    /// <summary>What held may not hold any more: a session was refused something.</summary>
    public void Again() => _held = false;

    /// <exception cref="FindingsException">Every error of both servers, each with its remedy.</exception>
    public async Task CheckAsync(CancellationToken ct)
    {
        if (_held)
            return;
        // A lost slot is a break in continuity, not something that is missing: the next check records it and may accept it.
        var ofSource = (await Preflight.CheckAsync(options.Source, entities, ct)).Where(f => f.Code != GapKinds.SlotLost).ToList();
        var (ofEngine, engineKind) = await EngineFindingsAsync(ct);
        if (engineKind is null)
            ofSource = [.. await IsFollowingAsync(ct) ? Preflight.WhenFollowing(ofSource) : Preflight.WhenFirst(ofSource, entities)];
        else if (engineKind == FailureKind.Unavailable)
            // It may be followed: what stops only a table then must not end the process that waits for the engine.
            ofSource = [.. Preflight.WhenFollowing(ofSource)];
        IReadOnlyList<Finding> findings = [.. ofSource, .. ofEngine];
        if (engineKind is null && findings.Any(f => f.IsError))
            findings = ByCause(
                [
                    .. (await ContinuityFindingsAsync(findings, ct)).Where(f =>
                        f.Code is GapKinds.SourceChanged or GapKinds.PublicationRenamed
                    ),
                ],
                findings
            );
        // A copy under the followed name lacks nothing: that it is another one is a gap, which the next check records.
        if (findings.Any(f => f.IsError) && findings.All(f => !f.IsError || f.Code == GapKinds.SourceChanged))
            return;
        if (findings.Any(f => f.IsError))
            // Waiting helps only if it fixes every finding.
            throw new FindingsException(Finding.KindOf(findings), "Source or engine are not ready:", findings);
        foreach (var warning in findings)
            PipelineLog.PreflightWarning(log, warning.Code, warning.Message, warning.Remedy);
        _held = true;
    }

    /// <summary>For the end that applies a log, which has no way to the source. Its warnings are those of the end that captures.</summary>
    /// <exception cref="FindingsException">Every error of the engine, each with its remedy.</exception>
    public async Task CheckEngineSideAsync(CancellationToken ct)
    {
        if (_held)
            return;
        var (findings, _) = await EngineFindingsAsync(ct);
        var errors = findings.Where(f => f.IsError).ToList();
        if (errors.Count > 0)
            throw new FindingsException(Finding.KindOf(errors), "The engine is not ready:", errors);
        _held = true;
    }

    /// <summary>An engine that is down must not hide what the source lacks.</summary>
    private async Task<(IReadOnlyList<Finding> Findings, FailureKind? Kind)> EngineFindingsAsync(CancellationToken ct)
    {
        try
        {
            var findings = await EngineErrors.GuardAsync(() => CheckEngineAsync(ct));
            // One that only takes no writes now can be asked everything.
            return (findings, findings.Any(f => f is { IsError: true, Kind: not FailureKind.Unavailable }) ? FailureKind.Preflight : null);
        }
        catch (FindingsException e)
        {
            // Files of migrations, not the engine's doing.
            return (e.Findings, FailureKind.Preflight);
        }
        catch (EngineException e)
        {
            var missing = ConnectPrivilege.Missing(
                Server.Engine,
                e.InnerException!,
                ServerTimeouts.Settings(options.Engine.ConnectionString)
            );
            return (
                [missing ?? new Finding("engine", IsError: true, e.Failure.Message, e.Failure.Remedy) { Kind = e.Failure.Kind }],
                e.Failure.Kind
            );
        }
    }

    private async Task<bool> IsFollowingAsync(CancellationToken ct) =>
        await new SourceTable(options.Engine).ReadAsync(ct) is { State: not SourceState.Creating };

    private async Task<IReadOnlyList<Finding>> CheckEngineAsync(CancellationToken ct)
    {
        await using var engine = SessionSettings.Pool(ServerTimeouts.Settings(options.Engine.ConnectionString));
        return [.. await CheckEngineAsync(engine, ct), .. await EngineSessionFindingsAsync(engine, ct)];
    }

    private static async Task<IReadOnlyList<Finding>> EngineSessionFindingsAsync(NpgsqlDataSource engine, CancellationToken ct)
    {
        await using var connection = await engine.OpenConnectionAsync(ct);
        List<Finding> findings = [];
        if (await WriteRefusal.FindAsync(connection, Server.Engine, ct) is { } refusal)
            findings.Add(refusal);
        if (await MissingStandbys.FindAsync(connection, Server.Engine, ct) is { } missing)
            findings.Add(missing);
        if (ServerEncoding.FindingOf(Server.Engine, ServerEncoding.Of(connection.PostgresParameters)) is { } encoding)
            findings.Add(encoding);
        if (await Pooler.IsBetweenAsync(connection, ct))
            findings.Add(
                new Finding(
                    "engine-pooler",
                    IsError: false,
                    "A pooler is between cdc and the engine, with sessions of their own for its clients: each connection of cdc keeps one.",
                    "Give it room for all of them (in PgBouncer default_pool_size), or name the server itself in Engine:ConnectionString."
                )
            );
        return findings;
    }

    private async Task<IReadOnlyList<Finding>> CheckEngineAsync(NpgsqlDataSource engine, CancellationToken ct)
    {
        if (await OdooDatabase.FindAsync(engine, entities, ct) is { } odoo)
            return [odoo];
        await using var connection = await engine.OpenConnectionAsync(ct);
        var privileges = await EnginePrivileges.ReadAsync(connection, entities, ct);
        if (!privileges.CanReadVersion)
            return privileges.Missing;
        foreach (var migrator in Migrators(engine, entities, options.OwnMigrations))
            if (await migrator.StatusAsync(ct) is { IsCurrent: false } status)
                return [.. status.Findings(), .. status.IsPending ? privileges.ToMigrate() : []];
        var tables = await MigrationCheck.FindAsync(engine, entities, ct);
        return
        [
            .. privileges.Missing,
            .. tables,
            .. tables.Any(t => t.IsError) ? [] : await DeclaredAggregate.FindAsync(engine, entities, ct),
            .. tables.Any(t => t.IsError) ? [] : await DeclaredOwnership.FindAsync(engine, entities, ct),
        ];
    }
}
