using System.CommandLine;
using Cdc.Engine;
using Cdc.Engine.Tables;
using Cdc.Host.Configuration;

namespace Cdc.Host.Commands;

internal static class ResumeCommand
{
    public static Command Create(CommandHost host) =>
        new ExplainedCommand(
            "resume",
            """
            Take Odoo's database up again, after 'cdc pause --release'. The running 'cdc run' goes on where it was, within a second.

            Examples:
              cdc resume
              cdc status
            """
        ).Runs(host, RunAsync);

    private static async Task<int> RunAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var options = context.Options(Needs.Engine);
        var wasPaused = await EngineErrors.GuardAsync(() => new SourceTable(options.Engine).ResumeAsync(ct));
        context.Terminal.Out.WriteLine(
            wasPaused ? "'cdc run' takes Odoo's database up again" : "nothing to do: Odoo's database is not let go of"
        );
        return ExitCodes.Success;
    }
}
