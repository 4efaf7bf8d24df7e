using System.CommandLine;
using Cdc.Host.Reversing;
using Cdc.Host.Terminals;
using Cdc.Odoo.Sequence;

namespace Cdc.Host.Commands;

internal static class ReverseUninstallCommand
{
    private static readonly Option<bool> Yes = GlobalOptions.Yes();

    public static Command Create(CommandHost host)
    {
        var administrator = new AdministratorKey();
        var command = new ExplainedCommand(
            "uninstall",
            """
            Remove from Odoo what 'cdc reverse install' has made, and nothing else. Says first what, and asks.

            With an administrator's key. What Odoo's cards know of the engine's changes is gone with the fields: let no change wait to be sent.

            Examples:
              cdc reverse uninstall --admin admin --admin-key-file key.txt
            """
        )
        {
            Yes,
        };
        administrator.AddTo(command);
        return command.Runs(host, (context, parsed, ct) => RunAsync(context, parsed, administrator, ct));
    }

    private static async Task<int> RunAsync(
        CommandContext context,
        ParseResult parsed,
        AdministratorKey administrator,
        CancellationToken ct
    )
    {
        using var odoo = await administrator.ConnectAsync(context, parsed, ct);
        var installer = new SequenceInstaller(odoo, context.Log);
        var plan = await installer.PlanUninstallAsync(ct);
        if (plan.Steps.Count == 0)
        {
            foreach (var note in plan.Notes)
                context.Terminal.Error.WriteLine(note);
            context.Terminal.Out.WriteLine("nothing of it is in Odoo");
            return ExitCodes.Success;
        }
        Confirmation.Obtain(context.Terminal, [.. plan.Steps.Select(s => $"Odoo: {s.Text}"), .. plan.Notes], parsed.GetValue(Yes));
        await installer.UninstallAsync(ct);
        context.Terminal.Out.WriteLine(
            $"{plan.Steps.Count} steps done in Odoo {odoo.Version}; unset Odoo:Action, and archive the user of the calls"
        );
        return ExitCodes.Success;
    }
}
