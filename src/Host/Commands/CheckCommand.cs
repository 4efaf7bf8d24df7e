using System.CommandLine;
using Cdc.Core.Failures;
using Cdc.Host.Configuration;
using Cdc.Host.Servers;
using Cdc.Host.Terminals;

namespace Cdc.Host.Commands;

/// <summary>Everything that would keep <c>cdc run</c> from starting, all at once.</summary>
internal static class CheckCommand
{
    private static readonly Option<bool> AsJson = GlobalOptions.Json();

    public static Command Create(CommandHost host) =>
        new ExplainedCommand("check",
            """
            Check configuration, declaration, source and engine. Changes nothing; names every finding with the SQL or command that mends it.

            Examples:
              cdc check
              cdc check --json
            """) { AsJson }.Runs(host, RunAsync);

    private static async Task<int> RunAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var options = context.Options(Needs.Both);
        var entities = context.Entities(options);
        var findings = new List<Finding>();
        findings.AddRange(await OrFindingAsync("source", () => context.Parts.Preflight(options.Source, entities, ct)));
        findings.AddRange(await OrFindingAsync("engine", () => CheckEngineAsync(context, options, ct)));
        if (parsed.GetValue(AsJson)) context.Terminal.Out.WriteLine(Json.Document(new { ok = !findings.Any(f => f.IsError), findings }));
        else Show(context.Terminal, findings);
        return findings.Any(f => f.IsError) ? ExitCodes.Of(FailureKind.Preflight) : ExitCodes.Success;
    }

    private static async Task<IReadOnlyList<Finding>> CheckEngineAsync(CommandContext context, CdcOptions options, CancellationToken ct)
    {
        await using var engine = CommandContext.Engine(options);
        await engine.UseAsync(c => c.ExecuteAsync("SELECT 1", [], ct), ct);
        var pending = (await context.Parts.Migrator(options, context.Entities(options)).StatusAsync(ct)).Where(m => m.AppliedAt is null).ToList();
        return pending.Count == 0
            ? []
            : [new Finding("migrations", IsError: true, $"{pending.Count} version(s) of the engine's schema are pending, the first is {pending[0].Version} ({pending[0].Name}).", "cdc migrate")];
    }

    /// <summary>One server that is down must not hide what the other lacks.</summary>
    private static async Task<IReadOnlyList<Finding>> OrFindingAsync(string code, Func<Task<IReadOnlyList<Finding>>> check)
    {
        try
        {
            return await check();
        }
        catch (FindingsException failure)
        {
            return failure.Findings;
        }
        catch (CdcException failure) when (failure.Kind is not FailureKind.Unexpected)
        {
            return [new Finding(code, IsError: true, failure.Message, failure.Remedy)];
        }
    }

    private static void Show(Terminal terminal, List<Finding> findings)
    {
        foreach (var finding in findings.OrderByDescending(f => f.IsError))
        {
            terminal.Out.WriteLine($"{(finding.IsError ? "error" : "warning")} {finding.Code}: {finding.Message}");
            terminal.Out.WriteLine($"  -> {finding.Remedy}");
        }
        var errors = findings.Count(f => f.IsError);
        terminal.Out.WriteLine(errors == 0 ? $"ready ({findings.Count} warning(s))" : $"{errors} error(s), {findings.Count - errors} warning(s)");
    }
}
