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

/// <summary>What must hold before anything is changed in source or engine. Looked at once, by the first session that reaches both.</summary>
internal sealed class Preconditions(CdcOptions options, EntitySet entities, ILogger log)
{
    public static string MigrationsFolder { get; } = Path.Combine(AppContext.BaseDirectory, "schemas", "engine");

    private bool _held;

    /// <exception cref="FindingsException">Every error of both servers, each with what mends it.</exception>
    public async Task CheckAsync(CancellationToken ct)
    {
        if (_held) return;
        var ofSource = await Preflight.CheckAsync(options.Source, entities, ct).ConfigureAwait(false);
        var kind = Preflight.KindOf(ofSource);
        var ofEngine = await EngineErrors.GuardAsync(() => CheckEngineAsync(ct)).ConfigureAwait(false);
        if (!ofEngine.Any(f => f.IsError) && await IsFollowingAsync(ct).ConfigureAwait(false)) ofSource = Preflight.WhenFollowing(ofSource);
        List<Finding> findings = [.. ofSource, .. ofEngine];
        if (findings.Any(f => f.IsError))
            throw new FindingsException(kind == FailureKind.Unavailable ? kind : FailureKind.Preflight, "Source or engine are not ready:", findings);
        foreach (var warning in findings) PipelineLog.PreflightWarning(log, warning.Code, warning.Message, warning.Remedy);
        _held = true;
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
