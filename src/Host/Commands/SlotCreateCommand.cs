using System.CommandLine;
using Cdc.Host.Configuration;
using Cdc.Host.Terminals;
using Cdc.Pipeline.Setup;

namespace Cdc.Host.Commands;

internal static class SlotCreateCommand
{
    private static readonly Option<bool> Yes = GlobalOptions.Yes();

    public static Command Create(CommandHost host) =>
        new ExplainedCommand(
            "create",
            """
            Begin to follow: publication, slot, and the engine's record of them, so that nothing is lost from now on. The first 'cdc run' does
            this by itself; done before, it loads as of now, whenever it is started.

            Examples:
              cdc slot create
              cdc slot create --yes
            """
        )
        {
            Yes,
        }.Runs(host, RunAsync);

    private static async Task<int> RunAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var options = context.Options(Needs.Both);
        var entities = context.Entities(options);
        var setup = new SourceSetup(options.Pipeline, entities, context.Log);
        await setup.RequireNothingFollowedAsync(ct);
        await new Preconditions(options.Pipeline, entities, context.Log).CheckAsync(ct);
        Confirmation.Obtain(
            context.Terminal,
            [
                $"publication {options.Source.Publication} of the declared tables is created in the source, if it is missing",
                $"logical replication slot {options.Source.SlotName} is created; it waits until every transaction that is open now has "
                    + "ended",
                $"from then on the server keeps WAL until {options.Capturer} has read it: a slot that is not read fills the disk",
                $"the engine remembers that it follows this slot; {options.Capturer} loads the tables and streams",
            ],
            parsed.GetValue(Yes)
        );
        var generation = await setup.CreateAsync(ct);
        context.Terminal.Out.WriteLine(
            $"slot {options.Source.SlotName} created for generation {generation}; {options.Capturer} continues from it"
        );
        return ExitCodes.Success;
    }
}
