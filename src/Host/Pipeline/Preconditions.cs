using Cdc.Apply;
using Cdc.Apply.Migrations;
using Cdc.Apply.Progress;
using Cdc.Capture;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Host.Configuration;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Cdc.Host.Pipeline;

/// <summary>What must hold before anything is changed in source or engine. A run looks at it once, in the first session that reaches both.</summary>
internal sealed class Preconditions(CdcOptions options, EntitySet entities, ILogger log)
{
    public static string MigrationsFolder { get; } = Path.Combine(AppContext.BaseDirectory, "schemas", "engine");

    private bool _held;

    /// <summary>Everything that is missing on both servers. One that is down does not hide what the other lacks.</summary>
    public async Task<IReadOnlyList<Finding>> FindAsync(CancellationToken ct)
    {
        var ofSource = await Preflight.CheckAsync(options.Source, entities, ct).ConfigureAwait(false);
        return [.. ofSource, .. (await EngineFindingsAsync(ct).ConfigureAwait(false)).Findings];
    }

    /// <exception cref="FindingsException">Every error of both servers, each with what mends it.</exception>
    public async Task CheckAsync(CancellationToken ct)
    {
        if (_held) return;
        // A lost slot is a break in continuity, not something that is missing: that check, which comes next, writes it down and may accept it.
        var ofSource = (await Preflight.CheckAsync(options.Source, entities, ct).ConfigureAwait(false)).Where(f => f.Code != GapKinds.SlotLost).ToList();
        var (ofEngine, engineKind) = await EngineFindingsAsync(ct).ConfigureAwait(false);
        if (engineKind is null && await IsFollowingAsync(ct).ConfigureAwait(false)) ofSource = [.. Preflight.WhenFollowing(ofSource)];
        List<Finding> findings = [.. ofSource, .. ofEngine];
        if (findings.Any(f => f.IsError))
            throw new FindingsException(KindOf(ofSource, engineKind), "Source or engine are not ready:", findings);
        foreach (var warning in findings) PipelineLog.PreflightWarning(log, warning.Code, warning.Message, warning.Remedy);
        _held = true;
    }

    /// <summary>Waiting helps only if it helps against all that was found.</summary>
    private static FailureKind KindOf(IReadOnlyList<Finding> ofSource, FailureKind? engine)
    {
        FailureKind? source = ofSource.Any(f => f.IsError) ? Preflight.KindOf(ofSource) : null;
        return source is { } one && engine is { } other && one != other ? FailureKind.Preflight : source ?? engine ?? FailureKind.Preflight;
    }

    /// <summary>An engine that is down must not hide what the source lacks.</summary>
    private async Task<(IReadOnlyList<Finding> Findings, FailureKind? Kind)> EngineFindingsAsync(CancellationToken ct)
    {
        try
        {
            var findings = await EngineErrors.GuardAsync(() => CheckEngineAsync(ct)).ConfigureAwait(false);
            return (findings, findings.Any(f => f.IsError) ? FailureKind.Preflight : null);
        }
        catch (EngineException e)
        {
            return ([new Finding("engine", IsError: true, e.Failure.Message, e.Failure.Remedy)], e.Failure.Kind);
        }
    }

    private async Task<bool> IsFollowingAsync(CancellationToken ct) =>
        await new FollowedSourceTable(options.Engine).ReadAsync(ct).ConfigureAwait(false) is { State: not "creating" };

    private async Task<IReadOnlyList<Finding>> CheckEngineAsync(CancellationToken ct)
    {
        await using var engine = NpgsqlDataSource.Create(options.Engine.ConnectionString);
        var status = await new Migrator(engine, Migration.ReadAll(MigrationsFolder)).StatusAsync(ct).ConfigureAwait(false);
        if (!status.IsCurrent)
            return [new Finding("migrations", IsError: true, $"The engine's schema is at version {status.Version}, which is not what this program needs.", "Run 'cdc migrate'.")];
        return await MigrationCheck.FindAsync(engine, entities, ct).ConfigureAwait(false);
    }
}
