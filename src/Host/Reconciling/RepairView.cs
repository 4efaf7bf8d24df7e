using Cdc.Host.Terminals;
using Cdc.Reconcile.Repairs;

namespace Cdc.Host.Reconciling;

/// <summary>A repair for somebody who looks at a terminal: before it is done, and afterwards.</summary>
internal static class RepairView
{
    private const int Shown = 20;

    public static IEnumerable<string> WhatWillHappen(RepairPlan plan)
    {
        foreach (var (entity, read, removed) in plan.Counts)
        {
            if (read > 0)
                yield return $"{Quantity.Count(read)} rows of {entity} are read again from Odoo and written over the engine's";
            if (removed > 0)
                yield return $"{Quantity.Count(removed)} rows of {entity} are removed from the engine, if Odoo still has not got them when they are read once more";
        }
        yield return "each of these keys is recorded with what differed (cdc.reconcile_repairs), and compared again afterwards";
        yield return "nothing changes in Odoo";
    }

    public static void Write(RepairReport repair, Terminal terminal)
    {
        if (
            repair.Keys.Where(k => repair.DryRun || k.Outcome is not (RepairedKey.Repaired or RepairedKey.Gone)).ToList() is
            { Count: > 0 } told
        )
        {
            var grid = new TextTable("entity", "key", "what", "outcome");
            foreach (var key in told.Take(Shown))
                grid.Add(key.Entity, key.Key.ToString(), key.Kind, key.Outcome);
            grid.Write(terminal);
            if (told.Count > Shown)
                terminal.Out.WriteLine($"{Shown} of {told.Count}; --json has all");
        }
        terminal.Out.WriteLine(
            repair.DryRun
                ? $"dry run: {repair.Differing} keys would be read again, {repair.Equal} are equal by now, {repair.Unknown} cannot be compared now; nothing was changed"
                : $"repair: {repair.Equal} keys are equal now, {repair.Differing} still differ, {repair.Unknown} could not be verified"
        );
    }
}
