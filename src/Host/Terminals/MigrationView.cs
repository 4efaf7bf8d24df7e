using System.Globalization;
using Cdc.Engine.Migrations;

namespace Cdc.Host.Terminals;

/// <summary>Migrations for people, and the plan as SQL.</summary>
internal static class MigrationView
{
    public static TextTable Table(IEnumerable<MigrationStatus> series)
    {
        var grid = new TextTable("version", "name", "applied");
        foreach (var status in series)
        {
            foreach (var m in status.Migrations)
                grid.Add(
                    Version(status.Series, m.Migration.Version),
                    m.Migration.Name,
                    m.AppliedAt is null ? "pending" : Quantity.Time(m.AppliedAt)
                );
            foreach (var version in status.NewerThanProgram)
                grid.Add(Version(status.Series, version), "?", "not known here: the engine is newer");
        }
        return grid;
    }

    public static void Write(MigrationPlan plan, TextWriter writer)
    {
        foreach (var (series, migration) in plan.Pending)
            writer.WriteLine($"-- 'cdc migrate' will apply {Version(series, migration.Version)} ({migration.Name}).");
        if (plan.Missing.Count == 0)
        {
            writer.WriteLine("-- Every declared entity has its table, or a migration that makes it.");
            return;
        }
        writer.WriteLine(
            "-- No migration makes these tables. Put this into the folder Entities:Migrations as 0001_name.up.sql, or the next free number;"
        );
        writer.WriteLine("-- beside it 0001_name.down.sql with:");
        foreach (var entity in plan.Missing.Reverse())
            writer.WriteLine($"--   DROP TABLE {entity.EngineName};");
        foreach (var entity in plan.Missing)
        {
            writer.WriteLine();
            writer.Write(DeclaredTable.Plan(entity));
        }
    }

    private static string Version(MigrationSeries series, int version) =>
        (series.Label.Length > 0 ? series.Label + " " : "") + version.ToString(CultureInfo.InvariantCulture);
}
