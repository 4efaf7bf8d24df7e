using Cdc.Core.Entities;
using Cdc.Host.Terminals;
using Cdc.Reconcile.Repairs;

namespace Cdc.Host.Reconciling;

/// <summary>A repair on a terminal: before it is done, and afterwards.</summary>
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
                yield return $"{Quantity.Count(removed)} rows of {entity} are removed from the engine, if Odoo still does not have them "
                    + "when they are read again";
        }
        foreach (var held in plan.Held)
            yield return "not done: " + held.Reason;
        yield return "each of these keys is recorded with what differed (cdc.reconcile_repairs), and then compared again";
        yield return "nothing changes in Odoo";
    }

    public static void Write(RepairReport repair, Terminal terminal)
    {
        if (
            repair.Keys.Where(k => repair.DryRun || k.Outcome is not (RepairedKey.Repaired or RepairedKey.Gone)).ToList() is
            { Count: > 0 } listed
        )
        {
            var grid = new TextTable("entity", "key", "what", "outcome");
            foreach (var key in listed.Take(Shown))
                grid.Add(key.Entity, KeyText.Of(key.Key), key.Kind, key.Outcome);
            grid.Write(terminal);
            if (listed.Count > Shown)
                terminal.Out.WriteLine($"{Shown} of {listed.Count}; --json has all");
        }
        foreach (var held in repair.Held)
            terminal.Out.WriteLine(held.Reason);
        terminal.Out.WriteLine(
            repair.DryRun
                ? $"dry run: {repair.Differing} keys would be read again, {repair.Equal} are equal by now, {repair.Unknown} cannot be "
                    + "compared now; nothing was changed"
                : $"repair: {repair.Equal} keys are equal now, {repair.Differing} still differ, {repair.Unknown} could not be verified"
        );
    }
}
