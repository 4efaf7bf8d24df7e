using System.CommandLine;
using Cdc.Core.Failures;
using Cdc.Host.Configuration;
using Cdc.Host.Servers;
using Cdc.Host.Terminals;
using Cdc.Pipeline.Setup;

namespace Cdc.Host.Commands;

/// <summary>Everything that would keep <c>cdc run</c> from starting, all at once.</summary>
internal static class CheckCommand
{
    private static readonly Option<bool> AsJson = GlobalOptions.Json();

    public static Command Create(CommandHost host) =>
        new ExplainedCommand(
            "check",
            """
            Check configuration, declaration, source, engine, and whether the slot still fits. Changes nothing; names every finding with the SQL or command that fixes it.

            Examples:
              cdc check
              cdc check --json
            """
        )
        {
            AsJson,
        }.Runs(host, RunAsync);

    private static async Task<int> RunAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var options = context.Options(Needs.Both);
        var entities = context.Entities(options);
        IReadOnlyList<Finding> findings =
        [
            .. await new Preconditions(options.Pipeline, entities, context.Log).FindAsync(ct),
            .. await ConnectionCheck.FindAsync(options, ct),
        ];
        if (parsed.GetValue(AsJson))
            context.Terminal.Out.WriteLine(Json.Document(new { ok = !findings.Any(f => f.IsError), findings }));
        else
            FindingList.Write(context.Terminal.Out, findings);
        if (!findings.Any(f => f.IsError))
            return ExitCodes.Success;
        // A refused login fails as in every command; everything else is a finding, also a server that is down.
        return ExitCodes.Of(Finding.KindOf(findings) is FailureKind.Configuration ? FailureKind.Configuration : FailureKind.Preflight);
    }
}
