using Cdc.Core.Entities;
using Cdc.Core.Operations;
using Cdc.Host.Terminals;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Cdc.Host.Status;

/// <summary>The report for people: facts, then one line an entity, then what is being asked for.</summary>
internal static class StatusView
{
    public static void WritePlain(StatusReport report, TextWriter writer)
    {
        foreach (var (name, value) in Facts(report))
            writer.WriteLine($"{name + ":", -13} {value}");
        foreach (var grid in Tables(report))
        {
            writer.WriteLine();
            grid.WritePlain(writer);
        }
    }

    public static IRenderable ToScreen(StatusReport report)
    {
        var facts = new Spectre.Console.Grid().AddColumn().AddColumn();
        foreach (var (name, value) in Facts(report))
            facts.AddRow(new Markup($"[grey]{name}[/]"), new Markup(Coloured(name, value, report)));
        return new Rows(Tables(report).Select(g => (IRenderable)g.ToTable()).Prepend(facts));
    }

    /// <summary>For a log or a pipe: everything that moves, in one line.</summary>
    public static string Line(StatusReport report) =>
        $"{Quantity.Time(report.At)} state={report.State} bytes_behind={report.BytesBehind?.ToString() ?? "-"} "
        + $"seconds_behind={report.SecondsBehind?.ToString("0.0", System.Globalization.CultureInfo.InvariantCulture) ?? "-"} "
        + $"through={report.Engine?.ThroughLsn ?? "-"} "
        + $"quarantine={report.Entities.Sum(e => e.Quarantine)} stopped={report.Entities.Count(e => e.State == "stopped")} "
        + $"alerts={report.Alerts?.Count.ToString() ?? "-"} holes={report.Entities.Sum(e => e.Holes)} "
        + $"chunks={report.Entities.Sum(e => e.Snapshot?.ChunksDone ?? 0)}/{report.Entities.Sum(e => e.Snapshot?.ChunksTotal ?? 0)} "
        + $"pipeline={report.Pipeline?.State ?? "-"}";

    private static IEnumerable<(string Name, string Value)> Facts(StatusReport report)
    {
        yield return ("state", report.State + PipelineView.Suffix(report));
        if (PipelineView.Paused(report.Engine) is { } paused)
            yield return ("paused", $"{paused}  -> cdc resume");
        if (report.Engine is { GapKind: { } kind } gap)
            yield return ("gap", $"{kind}: {gap.GapDetail}  -> cdc slot show");
        if (PipelineView.Why(report.Pipeline) is { } why)
            yield return ("pipeline", why);
        foreach (var alert in report.Alerts ?? [])
            yield return ("alert", $"{alert.Name} since {Quantity.Time(alert.FiredAt)}: {alert.Message}  -> cdc alerts list");
        if (report.Engine is { } engine)
        {
            yield return ("generation", $"{engine.Generation?.ToString() ?? "-"}, session {engine.Session?.ToString() ?? "-"}");
            yield return ("through", engine.ThroughLsn ?? "-");
            yield return ("last commit", Quantity.Time(engine.LastCommitAt));
        }
        yield return ("behind", $"{Quantity.Bytes(report.BytesBehind)}, {Quantity.Duration(report.SecondsBehind)}");
        if (report.Source is { } source)
        {
            yield return ("slot", SlotText(source.Slot));
            yield return ("oldest tx", Quantity.Duration(source.OldestTransactionSeconds));
        }
        if (report.Log is { } log)
            yield return (
                "log",
                $"{Quantity.Count(log.MessagesBehind)} messages behind, {Quantity.Duration(log.SecondsBehind)}  -> cdc lag"
            );
        foreach (
            var server in new[] { report.SourceServer, report.EngineServer, report.LogServer }
                .OfType<ServerStatus>()
                .Where(s => !s.Readable && !(s == report.SourceServer && report.Engine is { PausedUntil: not null }))
        )
            yield return ("cannot read", $"{server.Error} -> {server.Remedy}");
    }

    private static string SlotText(SlotStatus? slot) =>
        slot is null
            ? "missing"
            : $"{slot.Name}, {(slot.Active ? $"read by pid {slot.ActivePid}" : "not read")}, "
                + $"wal {slot.WalText}, keeps {Quantity.Bytes(slot.RetainedBytes)}"
                + (slot.SafeWalSize is { } safe ? $", lost after {Quantity.Bytes(safe)} more" : "");

    private static IEnumerable<TextTable> Tables(StatusReport report)
    {
        if (report.Entities.Count > 0)
            yield return Entities(report.Entities);
        if (report.Entities.Any(e => e.Reason is not null))
            yield return Reasons(report.Entities);
        if (report.Requests.Count > 0)
            yield return Requests(report.Requests);
    }

    private static TextTable Entities(IReadOnlyList<EntityStatus> entities)
    {
        var grid = new TextTable(
            "entity",
            "state",
            "rows",
            "chunks",
            "loaded",
            "rows/s",
            "eta",
            "quarantine",
            "holes",
            "waiting for parent"
        );
        foreach (var e in entities)
            grid.Add(
                e.Entity,
                StateOf(e),
                e.Rows is null ? "-" : "~" + Quantity.Count(e.Rows),
                e.Snapshot is { } s ? $"{s.ChunksDone}/{s.ChunksTotal}" : "-",
                Quantity.Percent(e.Snapshot?.Percent),
                Quantity.Count((long?)e.Snapshot?.RowsPerSecond),
                Quantity.Duration(e.Snapshot?.EtaSeconds),
                Quantity.Count(e.Quarantine),
                Quantity.Count(e.Holes),
                Quantity.Count(e.WaitingForParent)
            );
        return grid;
    }

    private static string StateOf(EntityStatus entity) =>
        entity.BehindGap ? $"{entity.State} (behind the gap)"
        : entity.StoppedSeconds is { } seconds ? $"{entity.State} for {Quantity.Duration(seconds)}"
        : entity.State;

    private static TextTable Reasons(IReadOnlyList<EntityStatus> entities)
    {
        var grid = new TextTable("entity", "reason");
        foreach (var e in entities.Where(e => e.Reason is not null))
            grid.Add(e.Entity, e.Reason!);
        return grid;
    }

    private static TextTable Requests(IReadOnlyList<RequestStatus> requests)
    {
        var grid = new TextTable("request", "kind", "entity", "keys", "state", "by", "since");
        foreach (var r in requests)
            grid.Add(
                r.Id.ToString(),
                r.Kind,
                r.Entity ?? "all",
                r.KeyCount is { } keys ? $"{keys} keys" : $"{End(r.FromKey)}..{End(r.ToKey)}",
                r.State,
                r.RequestedBy,
                Quantity.Time(r.RequestedAt)
            );
        return grid;
    }

    private static string Coloured(string name, string value, StatusReport report)
    {
        var colour = name switch
        {
            "state" when report.State == "streaming" && report.Running is true => "green",
            "paused" => "yellow",
            "state" or "cannot read" or "gap" or "alert" or "pipeline" => report.State is "creating" or "new" or "paused"
                ? "yellow"
                : "red",
            "slot" when report.Source?.Slot is null or { WalStatus: "lost" or "unreserved" } => "red",
            _ => "default",
        };
        return $"[{colour}]{Markup.Escape(value)}[/]";
    }

    private static string End(long? key) => key is { } known ? KeyText.Of(known) : "";
}
