using System.CommandLine;
using Cdc.Cutover.Phases;
using Cdc.Cutover.Plans;
using Cdc.Host.Configuration;
using Cdc.Host.Terminals;

namespace Cdc.Host.Commands;

/// <summary>Plans of a cutover: looked at, and made the one that runs.</summary>
internal static class CutoverPlanCommand
{
    private static readonly Argument<string> File = new("FILE") { Description = "The plan: a JSON file (docs/cutover.md)." };
    private static readonly Option<bool> Offline = new("--offline") { Description = "Do not ask the engine which plan runs." };
    private static readonly Option<string?> Why = new("--why") { Description = "The reason, for the record.", HelpName = "TEXT" };
    private static readonly Option<string?> By = new("--by")
    {
        Description = "Who decides, for the record; otherwise the user of this machine.",
        HelpName = "NAME",
    };
    private static readonly Option<bool> AsJson = GlobalOptions.Json();
    private static readonly Option<bool> Yes = GlobalOptions.Yes();

    public static Command Create(CommandHost host) =>
        new ExplainedCommand(
            "plan",
            """
            Check a plan, show it with its defaults, and say where it differs from the one that runs. Changes nothing.

            Exit code 3 where the plan has errors; all of them are said.

            Examples:
              cdc cutover plan cutover.json
              cdc cutover plan cutover.json --offline --json
            """
        )
        {
            File,
            Offline,
            AsJson,
        }.Runs(host, PlanAsync);

    public static Command CreateStart(CommandHost host) =>
        new ExplainedCommand(
            "start",
            """
            Make a plan the one that runs. Scopes begin at legacy: Odoo answers their reads. A scope that has moved on by the plan before
            stays where it is, if the plan has it with the same cards and the same steps so far; otherwise this is refused.

            Examples:
              cdc cutover start cutover.json
              cdc cutover start cutover.json --by lead --why "approved on Monday" --yes
            """
        )
        {
            File,
            Why,
            By,
            Yes,
        }.Runs(host, StartAsync);

    private static async Task<int> PlanAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var plan = PlanFile.Load(parsed.GetRequiredValue(File));
        RunningPlan? running = null;
        if (!parsed.GetValue(Offline))
        {
            await using var engine = CommandContext.Engine(context.Options(Needs.Engine));
            running = await engine.UseAsync(c => CutoverTable.RunningAsync(c, locked: false, ct), ct);
        }
        var differences = running is null ? [] : PlanDiff.Of(running.Plan, plan);
        var sha256 = PlanFile.Sha256(PlanFile.Text(plan));
        if (parsed.GetValue(AsJson))
        {
            context.Terminal.Out.WriteLine(
                Json.Document(
                    new
                    {
                        plan,
                        sha256,
                        running = running is null ? null : new { name = running.Plan.Name, sha256 = running.Sha256 },
                        differences,
                    }
                )
            );
            return ExitCodes.Success;
        }
        context.Terminal.Out.WriteLine(PlanFile.Text(plan));
        context.Terminal.Error.WriteLine(
            running is null ? $"sha256 {sha256}; {(parsed.GetValue(Offline) ? "the engine was not asked" : "no plan runs")}"
            : differences.Count == 0 ? $"sha256 {sha256}; this plan runs"
            : $"sha256 {sha256}; {running.Plan.Name} runs, and this one differs:"
        );
        foreach (var difference in differences)
            context.Terminal.Error.WriteLine($"  {difference.Path}: {difference.Running ?? "-"} -> {difference.File ?? "-"}");
        return ExitCodes.Success;
    }

    private static async Task<int> StartAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var plan = PlanFile.Load(parsed.GetRequiredValue(File));
        await using var engine = CommandContext.Engine(context.Options(Needs.Engine));
        var running = await engine.UseAsync(c => CutoverTable.RunningAsync(c, locked: false, ct), ct);
        var begins = Succession.Of(running, plan, context.Time.GetUtcNow());
        Confirmation.Obtain(
            context.Terminal,
            [
                running is null
                    ? $"{plan.Name} is the plan that runs; the flag {plan.Flag} is set by its phases from now on, and is switched off first"
                    : $"{plan.Name} takes the place of {running.Plan.Name}",
                .. begins.Select(s =>
                    $"{s.Scope.Name} {(s.Step == 0 ? "begins at legacy: Odoo answers its reads" : $"stays at {plan.NameOf(s.Step)}")}"
                ),
            ],
            parsed.GetValue(Yes)
        );
        var by = CutoverCommand.Who(parsed.GetValue(By));
        await engine.UseAsync(c => CutoverDesk.StartAsync(c, plan, by, parsed.GetValue(Why), ct), ct);
        context.Terminal.Out.WriteLine($"{plan.Name} runs");
        return ExitCodes.Success;
    }
}
