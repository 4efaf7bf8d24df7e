using System.CommandLine;
using Cdc.Host.Configuration;
using Cdc.Host.Terminals;

namespace Cdc.Host.Commands;

internal static class SlotCreateCommand
{
    private static readonly Option<bool> Yes = GlobalOptions.Yes();

    public static Command Create(CommandHost host) =>
        new ExplainedCommand("create",
            """
            Create the publication, if it is missing, and the slot. 'cdc run' does this by itself the first time.

            Examples:
              cdc slot create
              cdc slot create --yes
            """) { Yes }.Runs(host, RunAsync);

    private static async Task<int> RunAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var options = context.Options(Needs.Source);
        var setup = context.Parts.SlotSetup(options.Source, context.Entities(options));
        Confirmation.Obtain(context.Terminal,
        [
            $"publication {options.Source.Publication} of the declared tables is created in the source, if it is missing",
            $"logical replication slot {options.Source.SlotName} is created; it waits until every transaction that is open now has ended",
            "from then on the server keeps WAL until 'cdc run' has read it: a slot that nobody reads fills the disk",
            "an engine that followed an older slot of this name sees a gap, and needs 'cdc slot reset' instead of this",
        ], parsed.GetValue(Yes));
        var start = await setup.CreateAsync(ct);
        context.Terminal.Out.WriteLine($"slot {options.Source.SlotName} created at {start}");
        return ExitCodes.Success;
    }
}
