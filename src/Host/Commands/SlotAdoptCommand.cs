using System.CommandLine;
using Cdc.Host.Configuration;
using Cdc.Host.Slots;
using Cdc.Host.Status;
using Cdc.Host.Terminals;

namespace Cdc.Host.Commands;

internal static class SlotAdoptCommand
{
    private static readonly Option<bool> Yes = GlobalOptions.Yes();

    public static Command Create(CommandHost host) =>
        new ExplainedCommand("adopt",
            """
            Accept that the same Odoo has another system identifier (pg_upgrade) or timeline (failover), without reading everything again.
            Checked first: the slot is not confirmed beyond what the engine wrote, and the source's WAL reaches what is applied.
            It cannot be checked that it is the same Odoo: that is what you confirm.

            Examples:
              cdc slot show
              cdc slot adopt
            """) { Yes }.Runs(host, RunAsync);

    private static async Task<int> RunAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var options = context.Options(Needs.Both);
        await using var source = CommandContext.Source(options);
        await using var engine = CommandContext.Engine(options);
        var followed = await engine.UseAsync(c => FollowedSource.ReadAsync(c, ct), ct) ?? throw SlotRefusals.NothingFollowed();
        var status = await source.UseAsync(c => SourceStatusReader.ReadAsync(c, options.Source.SlotName, ct), ct);
        SlotRefusals.ThrowIfRead(status.Slot);
        SlotAdoption.Check(followed, status);
        Confirmation.Obtain(context.Terminal, WhatWillHappen(followed, status), parsed.GetValue(Yes));
        await engine.UseAsync(c => SlotAdoption.AcceptAsync(c, followed, status, ct), ct);
        context.Terminal.Out.WriteLine($"adopted: system {status.SystemIdentifier}, timeline {status.Timeline}; 'cdc run' goes on from {followed.Through}");
        return ExitCodes.Success;
    }

    private static string[] WhatWillHappen(FollowedSource followed, SourceStatus source) =>
    [
        $"the engine, which followed system {followed.SystemIdentifier} on timeline {followed.Timeline}, follows {source.SystemIdentifier} on timeline {source.Timeline} from now on",
        $"'cdc run' goes on from {followed.Through} without reading the tables again",
        "if this server is a copy of Odoo that went its own way (a test system, an older backup), the engine silently follows that copy: then answer no",
    ];
}
