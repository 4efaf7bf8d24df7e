using System.Globalization;
using Cdc.Cutover.Gates;
using Cdc.Host.Terminals;

namespace Cdc.Host.Cutovers;

/// <summary><c>cdc cutover status</c> for people.</summary>
internal static class CutoverLines
{
    private const int ShownChanges = 5;

    public static void Write(Terminal terminal, CutoverView view, DateTimeOffset now)
    {
        if (view.Plan is not { } plan)
        {
            terminal.Out.WriteLine("no cutover runs");
            return;
        }
        terminal.Out.WriteLine($"plan {plan.Name}, since {Quantity.Time(plan.StartedAt)} by {plan.StartedBy}, sha256 {plan.Sha256[..12]}");
        terminal.Out.WriteLine(view.Flag!.Differs ?? $"flag {view.Flag.Name} is as the phases have set it");
        var grid = new TextTable("scope", "step", "reads by engine", "since", "next", "planned", "approved", "waits for");
        foreach (var scope in view.Scopes)
            grid.Add(
                scope.Scope,
                scope.Step,
                Percent(scope.ReadsByEngine),
                Quantity.Duration((now - scope.Since).TotalSeconds),
                scope.Next is { } next ? $"{next.Step} ({Percent(next.Percentage)})" : "-",
                Clock(scope.Next?.At, now),
                scope.Next is { } step ? $"{step.ApprovedBy.Count} of {step.ApprovalsNeeded}" : "-",
                scope.Held is { } why ? $"held: {why}" : Waits(scope.Next)
            );
        grid.Write(terminal);
        foreach (var scope in view.Scopes)
        foreach (var gate in scope.Next?.Gates.Where(g => g.Verdict != Verdict.Pass) ?? [])
            terminal.Out.WriteLine($"{scope.Scope}: {gate.Name} {(gate.Verdict == Verdict.Fail ? "fails" : "cannot say")}: {gate.Says}");
        foreach (var found in view.Shadow)
            terminal.Out.WriteLine(
                $"{found.Scope}: shadow reads {found.Result}{(found.Field.Length > 0 ? $" ({found.Field})" : "")}: {Quantity.Count(found.Reads)} in 24 h, such as card {found.LastCard}"
            );
        foreach (var change in view.Changes.Take(ShownChanges))
            terminal.Out.WriteLine(
                $"{Quantity.Time(change.At)} {change.Scope} {change.Command} {change.From} -> {change.To} by {change.By}{(change.Why is null ? "" : $": {change.Why}")}"
            );
    }

    private static string Waits(NextLine? next) =>
        next?.Gates.Where(g => g.Verdict != Verdict.Pass).Select(g => g.Name).ToList() is { Count: > 0 } names
            ? string.Join(", ", names)
            : "-";

    /// <summary>The clock of the plan.</summary>
    private static string Clock(DateTimeOffset? at, DateTimeOffset now) =>
        at is not { } planned ? "-"
        : planned >= now ? $"in {Quantity.Duration((planned - now).TotalSeconds)}"
        : $"{Quantity.Duration((now - planned).TotalSeconds)} ago";

    private static string Percent(decimal value) => value.ToString("0.##", CultureInfo.InvariantCulture) + " %";
}
