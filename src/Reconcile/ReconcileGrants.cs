using Cdc.Core.Postgres;

namespace Cdc.Reconcile;

/// <summary>What a comparison writes: for the script of <c>cdc grants</c>.</summary>
public static class ReconcileGrants
{
    public static void Add(GrantScript script) =>
        script
            .OnTables(
                "INSERT, UPDATE",
                ["cdc.reconcile_runs", "cdc.reconcile_partitions", "cdc.drift", "cdc.reconcile_totals", "cdc.reconcile_repairs"]
            )
            .OnTables("INSERT", ["cdc.reconcile_spot_checks", "cdc.reconcile_violations"]);
}
