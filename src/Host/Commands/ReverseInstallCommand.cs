using System.CommandLine;
using System.Globalization;
using Cdc.Host.Configuration;
using Cdc.Host.Reversing;
using Cdc.Host.Terminals;
using Cdc.Odoo.Sequence;

namespace Cdc.Host.Commands;

internal static class ReverseInstallCommand
{
    private static readonly Option<string?> User = new("--user")
    {
        Description = "Login of the user who will make the calls: added to the group. None: Odoo:Login, where --admin is another.",
        HelpName = "LOGIN",
    };

    public static Command Create(CommandHost host)
    {
        var administrator = new AdministratorKey();
        var command = new ExplainedCommand(
            "install",
            """
            Create in Odoo (16 to 19) what the way 'sequence' needs: fields, a server action, a group, a system parameter. Says first what, and asks.

            With an administrator's key, which is used this once. Odoo alters the tables of cards and their history for it: do it when nobody
            works (docs/writing-back.md). A second run completes what is missing, and changes nothing else.

            Examples:
              cdc reverse install --admin admin --admin-key-file key.txt --user cdc
              cdc reverse install --admin-key-file key.txt --user cdc --yes
            """
        )
        {
            User,
            Yes,
        };
        administrator.AddTo(command);
        return command.Runs(host, (context, parsed, ct) => RunAsync(context, parsed, administrator, ct));
    }

    private static readonly Option<bool> Yes = GlobalOptions.Yes();

    private static async Task<int> RunAsync(
        CommandContext context,
        ParseResult parsed,
        AdministratorKey administrator,
        CancellationToken ct
    )
    {
        using var odoo = await administrator.ConnectAsync(context, parsed, ct);
        var installer = new SequenceInstaller(odoo, context.Log);
        var user = administrator.UserOf(context.Options(Needs.None).Odoo, parsed, parsed.GetValue(User));
        var plan = await installer.PlanInstallAsync(user, ct);
        if (plan.Steps.Count > 0)
            Confirmation.Obtain(context.Terminal, [.. plan.Steps.Select(s => $"Odoo: {s.Text}"), .. plan.Notes], parsed.GetValue(Yes));
        var action = await installer.InstallAsync(user, ct);
        var output = context.Terminal.Out;
        output.WriteLine(plan.Steps.Count == 0 ? "everything was there" : $"{plan.Steps.Count} steps done in Odoo {odoo.Version}");
        if (user is null)
            output.WriteLine("no user was named (--user): add the one of Odoo:Key to the group \"CDC engine\"");
        output.WriteLine($"set {OptionOrigin.VariableOf("Odoo:Action")}={action.ToString(CultureInfo.InvariantCulture)}");
        return ExitCodes.Success;
    }
}
