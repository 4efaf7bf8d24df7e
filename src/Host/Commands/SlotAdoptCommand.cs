using System.CommandLine;
using Cdc.Capture.Source;
using Cdc.Core.Failures;
using Cdc.Engine.Tables;
using Cdc.Host.Configuration;
using Cdc.Host.Slots;
using Cdc.Host.Status;
using Cdc.Host.Terminals;
using Cdc.Pipeline.Setup;

namespace Cdc.Host.Commands;

internal static class SlotAdoptCommand
{
    private static readonly Option<bool> Yes = GlobalOptions.Yes();

    public static Command Create(CommandHost host) =>
        new ExplainedCommand(
            "adopt",
            """
            Accept that the same Odoo has another system identifier (pg_upgrade), or another database.uuid, without reading everything again.
            Checked first: the slot is not confirmed beyond what the engine wrote, and the source's WAL reaches what is applied.
            After a failover there is nothing to adopt: 'cdc run' continues by itself if the new timeline has everything that is applied.
            Whether it is the same Odoo cdc can only say where it may read Odoo's database.uuid: you confirm that.

            Examples:
              cdc slot show
              cdc slot adopt
            """
        )
        {
            Yes,
        }.Runs(host, RunAsync);

    private static async Task<int> RunAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var options = context.Options(Needs.Both);
        await using var source = CommandContext.Source(options);
        var status = await source.UseAsync(c => SourceStatusReader.ReadAsync(c, options.Source.SlotName, ct), ct);
        SlotRefusals.ThrowIfRead(status.Slot);
        var continuity = await Continuity.ReadAsync(options.Pipeline, context.Entities(options), context.Log, ct);
        if (continuity.Followed is not { } followed)
            throw SlotRefusals.NothingFollowed();
        RequireAdoptable(continuity);
        var identity = continuity.Now!.Server.Identity;
        Confirmation.Obtain(context.Terminal, WhatWillHappen(followed, identity), parsed.GetValue(Yes));
        var database = new FollowedDatabase(identity.DatabaseName, identity.DatabaseOid, identity.DatabaseUuid);
        await new SourceTable(options.Engine).AdoptAsync(followed, identity.SystemIdentifier, identity.Timeline, database, ct);
        context.Terminal.Out.WriteLine(
            $"adopted: system {identity.SystemIdentifier}, timeline {identity.Timeline}; 'cdc run' continues from {followed.Through}"
        );
        return ExitCodes.Success;
    }

    private static void RequireAdoptable(Continuity continuity)
    {
        if (continuity.IsAdoptable)
            return;
        if (continuity.Findings.All(f => f.Code != GapKinds.SourceChanged))
            throw new CdcException(
                FailureKind.Refused,
                "There is nothing to adopt: the source is the one that the engine follows.",
                continuity.Findings.Count == 0 ? "cdc run" : "The gap is another one ('cdc slot show' names it): cdc slot reset"
            );
        throw new FindingsException(FailureKind.DeclaredGap, "This source cannot be adopted, changes may be missing:", continuity.Findings);
    }

    private static string Uuid(FollowedSource followed, SourceIdentity now) =>
        followed.DatabaseUuid is not { } was || now.DatabaseUuid is not { } found ? "is not known of both"
        : was == found ? $"is the same ({found})"
        : $"was {was} and is {found} now";

    private static string[] WhatWillHappen(FollowedSource followed, SourceIdentity source) =>
        [
            $"the engine, which followed system {followed.SystemIdentifier} on timeline {followed.Timeline}, follows "
                + $"{source.SystemIdentifier} on timeline {source.Timeline} from now on; Odoo's database.uuid {Uuid(followed, source)}",
            $"'cdc run' continues from {followed.Through} without reading the tables again",
            "if this server is a copy of Odoo that went its own way (a test system, an older backup), the engine silently follows that "
                + "copy: then answer no",
        ];
}
