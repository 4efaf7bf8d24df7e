using Cdc.Apply;
using Cdc.Apply.Migrations;
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
        List<Finding> findings = [.. await Preflight.CheckAsync(options.Source, entities, ct).ConfigureAwait(false)];
        try
        {
            findings.AddRange(await CheckEngineAsync(ct).ConfigureAwait(false));
        }
        catch (EngineException e)
        {
            findings.Add(new Finding("engine", IsError: true, e.Failure.Message, e.Failure.Remedy));
        }
        return findings;
    }

    /// <exception cref="FindingsException">Every error of both servers, each with what mends it.</exception>
    /// <exception cref="EngineException">The engine cannot be asked.</exception>
    public async Task CheckAsync(CancellationToken ct)
    {
        if (_held) return;
        List<Finding> findings = [.. await Preflight.CheckAsync(options.Source, entities, ct).ConfigureAwait(false)];
        var kind = Preflight.KindOf(findings);
        findings.AddRange(await CheckEngineAsync(ct).ConfigureAwait(false));
        // A lost slot is no lack to be mended but a gap to be accepted: continuity, which is looked at next, stops at it.
        findings.RemoveAll(f => f.Code == GapKinds.SlotLost);
        if (findings.Any(f => f.IsError))
            throw new FindingsException(kind == FailureKind.Unavailable ? kind : FailureKind.Preflight, "Source or engine are not ready:", findings);
        foreach (var warning in findings) PipelineLog.PreflightWarning(log, warning.Code, warning.Message, warning.Remedy);
        _held = true;
    }

    private Task<IReadOnlyList<Finding>> CheckEngineAsync(CancellationToken ct) => EngineErrors.GuardAsync<IReadOnlyList<Finding>>(async () =>
    {
        await using var engine = NpgsqlDataSource.Create(options.Engine.ConnectionString);
        var status = await new Migrator(engine, Migration.ReadAll(MigrationsFolder)).StatusAsync(ct).ConfigureAwait(false);
        if (!status.IsCurrent)
            return [new Finding("migrations", IsError: true, $"The engine's schema is at version {status.Version}, which is not what this program needs.", "Run 'cdc migrate'.")];
        return await MigrationCheck.FindAsync(engine, entities, ct).ConfigureAwait(false);
    });
}
