using System.CommandLine;
using Cdc.Capture.Checks;
using Cdc.Capture.Source;
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
        var pause = await PauseAsync(options, ct);
        IReadOnlyList<Finding> findings =
        [
            .. await new Preconditions(options.Pipeline, entities, context.Log).FindAsync(pause, ct),
            .. await ConnectionCheck.FindAsync(options, pause is null, ct),
            .. OptionAdvice.Find(options),
        ];
        var odoo = pause is null ? await OdooAsync(options, ct) : null;
        if (parsed.GetValue(AsJson))
            context.Terminal.Out.WriteLine(
                Json.Document(
                    new
                    {
                        ok = !findings.Any(f => f.IsError),
                        odoo = odoo is null
                            ? null
                            : new
                            {
                                major = odoo.Major,
                                version = odoo.Version,
                                preset = odoo.Preset,
                            },
                        findings,
                    }
                )
            );
        else
        {
            if (odoo is not null)
                context.Terminal.Out.WriteLine($"{odoo}: {(odoo.Preset is null ? "no preset is made for it" : $"preset {odoo.Preset}")}");
            FindingList.Write(context.Terminal.Out, findings);
        }
        if (!findings.Any(f => f.IsError))
            return ExitCodes.Success;
        // A refused login fails as in every command; everything else is a finding, also a server that is down.
        return ExitCodes.Of(Finding.KindOf(findings) is FailureKind.Configuration ? FailureKind.Configuration : FailureKind.Preflight);
    }

    /// <summary>Whether Odoo's database is let go of: this command has no session there either.</summary>
    private static async Task<SourcePause?> PauseAsync(CdcOptions options, CancellationToken ct)
    {
        await using var engine = CommandContext.Engine(options);
        return await new SourceHold(engine).ReadAsync(ct);
    }

    /// <summary>A source that cannot be asked is a finding already.</summary>
    private static async Task<OdooInstallation?> OdooAsync(CdcOptions options, CancellationToken ct)
    {
        try
        {
            return await OdooInstallation.FindAsync(options.Source, ct);
        }
        catch (Exception e) when (SourceFailure.Of(e) is not null || e is ArgumentException)
        {
            return null;
        }
    }
}
