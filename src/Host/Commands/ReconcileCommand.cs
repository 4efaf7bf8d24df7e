using System.CommandLine;
using System.Globalization;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Snapshots;
using Cdc.Host.Configuration;
using Cdc.Host.Reconciling;
using Cdc.Host.Snapshots;
using Cdc.Host.Terminals;
using Cdc.Reconcile.Repairs;
using Cdc.Reconcile.Reports;
using Cdc.Reconcile.Runs;

namespace Cdc.Host.Commands;

internal static class ReconcileCommand
{
    /// <summary>Differences on the terminal, and in JSON and HTML.</summary>
    private const int Shown = 20,
        Reported = 10_000;

    private static readonly Argument<string[]> Names = new("ENTITY")
    {
        Description = "Entities, or names of their tables; without any all are compared.",
        Arity = ArgumentArity.ZeroOrMore,
    };
    private static readonly Option<bool> Full = new("--full")
    {
        Description = "Compare every row (this is what is done without another option).",
    };
    private static readonly Option<bool> Changed = new("--changed")
    {
        Description = "Compare only partitions that were touched since the last run over everything.",
    };
    private static readonly Option<string?> Partition = new("--partition")
    {
        Description = "Compare only keys from A up to, but without, B; either may be left out.",
        HelpName = "A..B",
    };
    private static readonly Option<string?> Since = new("--since")
    {
        Description = "Compare only rows with a date at or after this one (UTC where it names no zone).",
        HelpName = "DATE",
    };
    private static readonly Option<bool> SignOff = new("--sign-off")
    {
        Description = "Odoo is frozen: one exact pass; refused if anything is in flight or changes during the run.",
    };
    private static readonly Option<bool> Violations = new("--violations")
    {
        Description = "Also look for places where Odoo's own numbers disagree (reads whole tables in Odoo).",
    };
    private static readonly Option<bool> WithRepair = new("--repair")
    {
        Description = "Have the rows that differ read again from Odoo through the pipeline, and compare them again.",
    };
    private static readonly Option<bool> DryRun = new("--dry-run")
    {
        Description = "With --repair: say what it would do, and change nothing.",
    };
    private static readonly Option<bool> Yes = GlobalOptions.Yes();
    private static readonly Option<bool> AsJson = GlobalOptions.Json();
    private static readonly Option<FileInfo?> Report = new("--report")
    {
        Description = "Write the result as a page of HTML that needs nothing else.",
        HelpName = "FILE",
    };

    public static Command Create(CommandHost host) =>
        new ExplainedCommand(
            "reconcile",
            """
            Compare Odoo and the engine, exactly and while both are written to. Needs a running 'cdc run'.

            Every row's values are compared as the declaration defines them, slice by slice; each slice is one point of Odoo's WAL on both
            sides. What it finds is kept in the engine (cdc.reconcile_runs, cdc.drift). An interrupted run continues where it was when
            the same command is given again. Exit code 0: consistent; 10: drift; 11: nothing differs, but not everything could be compared.

            --repair compares every key that differs a second time, asks, has exactly those keys read again by 'cdc run', which removes what
            Odoo does not have, and compares them again; each is recorded in cdc.reconcile_repairs. Exit code 0: all are equal now; 10: some
            still differ (or would be repaired, with --dry-run).

            Examples:
              cdc reconcile
              cdc reconcile card --partition 1000..2000
              cdc reconcile --changed --json | jq .total.rate
              cdc reconcile history move --since 2026-01-01 --report money.html
              cdc reconcile --sign-off --violations --report sign-off.html
              cdc reconcile --repair --dry-run
              cdc reconcile card --repair --yes
            """
        )
        {
            Names,
            Full,
            Changed,
            Partition,
            Since,
            SignOff,
            Violations,
            WithRepair,
            DryRun,
            Yes,
            AsJson,
            Report,
        }.Runs(host, RunAsync);

    private static async Task<int> RunAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var kind = KindOf(parsed);
        var file = ReportOf(parsed.GetValue(Report));
        var (range, since) = (RangeOf(parsed.GetValue(Partition)), DateOf(parsed.GetValue(Since)));
        var options = context.Options(Needs.Both);
        var entities = context.Entities(options);
        IReadOnlyList<EntityDeclaration> wanted = parsed.GetValue(Names) is { Length: > 0 } names
            ? [.. names.Select(n => context.Entity(options, n)).Distinct().OrderBy(e => e.Index)]
            // A range of ids is none of those whose key is two columns.
            : [.. entities.All.Where(e => KeyRangeText.IsOf(range, e))];
        if (wanted.FirstOrDefault(e => !KeyRangeText.IsOf(range, e)) is { } other)
            throw new CdcException(
                FailureKind.Usage,
                $"{range} is no range of keys of {other.Name}: its key is {other.SourceKey.Shown}.",
                KeyRangeText.Remedy(other, "--partition")
            );
        var request = new RunRequest(kind, wanted, range, since, parsed.GetValue(Violations));
        await using var session = new ReconcileSession(options, entities, context.Terminal, context.Log, context.Time);
        var report = await session.CompareAsync(request, Reported, ct);
        if (parsed.GetValue(WithRepair))
        {
            // Print what was found before asking.
            if (!parsed.GetValue(AsJson))
                ReconcileView.Write(report, Shown, context.Terminal);
            report = report with { Repair = await RepairAsync(context, parsed, session, report.Run.Id, request, ct) };
        }
        if (parsed.GetValue(AsJson))
            context.Terminal.Out.WriteLine(Json.Document(report));
        else if (report.Repair is { } repair)
            RepairView.Write(repair, context.Terminal);
        else
            ReconcileView.Write(report, Shown, context.Terminal);
        // Last: a disk that is full must not take the result with it.
        if (file is not null)
            await File.WriteAllTextAsync(file.FullName, HtmlReport.Of(report), ct);
        return ReconcileOutcome.ExitCodeOf(report);
    }

    private static async Task<RepairReport> RepairAsync(
        CommandContext context,
        ParseResult parsed,
        ReconcileSession session,
        long run,
        RunRequest request,
        CancellationToken ct
    )
    {
        var plan = await session.PlanRepairAsync(run, request, ct);
        if (parsed.GetValue(DryRun))
            return plan.DryRun;
        if (plan.Count > 0)
            Confirmation.Obtain(context.Terminal, RepairView.WhatWillHappen(plan), parsed.GetValue(Yes));
        return await session.RepairAsync(plan, ct);
    }

    private static RunKind KindOf(ParseResult parsed)
    {
        var (full, changed, signOff) = (parsed.GetValue(Full), parsed.GetValue(Changed), parsed.GetValue(SignOff));
        if ((full ? 1 : 0) + (changed ? 1 : 0) + (signOff ? 1 : 0) > 1)
            throw new CdcException(
                FailureKind.Usage,
                "--full, --changed and --sign-off exclude each other.",
                "Give one of them, or none (that is --full)."
            );
        if ((changed || signOff) && (parsed.GetValue(Partition) is not null || parsed.GetValue(Since) is not null))
            throw new CdcException(
                FailureKind.Usage,
                "--partition and --since are for --full only.",
                "Leave them out, or leave out --changed and --sign-off."
            );
        if (signOff && parsed.GetValue(WithRepair))
            throw new CdcException(
                FailureKind.Usage,
                "--repair changes the engine, which --sign-off is about to sign.",
                "Run 'cdc reconcile --repair' first, then 'cdc reconcile --sign-off'."
            );
        if (parsed.GetValue(DryRun) && !parsed.GetValue(WithRepair))
            throw new CdcException(
                FailureKind.Usage,
                "--dry-run is about a repair, and --repair is not given.",
                "cdc reconcile --repair --dry-run"
            );
        return changed ? RunKind.Changed
            : signOff ? RunKind.SignOff
            : RunKind.Full;
    }

    /// <summary>Checked before the comparison, which may take an hour.</summary>
    private static FileInfo? ReportOf(FileInfo? file)
    {
        if (file is null || (file.Directory is { Exists: true } && !Directory.Exists(file.FullName)))
            return file;
        throw new CdcException(
            FailureKind.Usage,
            $"'{file.FullName}' is not a place for a file.",
            "Give --report the name of a file in a folder that exists."
        );
    }

    private static KeyRange RangeOf(string? text)
    {
        if (text is null)
            return KeyRange.All;
        return KeyRangeText.TryParse(text)
            ?? throw new CdcException(
                FailureKind.Usage,
                $"'{text}' is not a range of keys.",
                "Write --partition A..B with A below B; either end may be left out: --partition 5000.."
            );
    }

    private static DateTimeOffset? DateOf(string? text)
    {
        if (text is null)
            return null;
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date)
            ? date
            : throw new CdcException(
                FailureKind.Usage,
                $"'{text}' is not a date.",
                "Write --since 2026-01-31, or --since 2026-01-31T12:00:00Z."
            );
    }
}
