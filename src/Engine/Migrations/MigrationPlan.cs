using System.Text.RegularExpressions;
using Cdc.Core.Entities;
using Npgsql;

namespace Cdc.Engine.Migrations;

/// <summary>What <c>cdc migrate</c> would do, and what it cannot: tables of declared entities that no migration makes.</summary>
/// <param name="Pending">Of both series, in the order in which they would be applied.</param>
/// <param name="Missing">Entities whose table is not there, and is in no pending migration.</param>
public sealed record MigrationPlan(
    IReadOnlyList<(MigrationSeries Series, Migration Migration)> Pending,
    IReadOnlyList<EntityDeclaration> Missing
)
{
    /// <summary>Reads only.</summary>
    public static async Task<MigrationPlan> MakeAsync(
        NpgsqlDataSource engine,
        IReadOnlyList<Migrator> migrators,
        EntitySet entities,
        CancellationToken ct
    )
    {
        List<(MigrationSeries, Migration)> pending = [];
        foreach (var migrator in migrators)
        {
            var status = await migrator.StatusAsync(ct);
            pending.AddRange(status.Migrations.Where(m => m.AppliedAt is null).Select(m => (status.Series, m.Migration)));
        }
        var catalog = await EngineCatalog.ReadAsync(
            engine,
            [.. entities.All.Select(e => e.EngineSchema)],
            [.. entities.All.Select(e => e.EngineTable)],
            ct
        );
        var missing = entities
            .All.Where(e => catalog.Columns(e.EngineSchema, e.EngineTable) is null)
            .Where(e => !pending.Any(p => Makes(p.Item2, e)))
            .DistinctBy(e => e.EngineName);
        return new MigrationPlan(pending, [.. missing]);
    }

    /// <summary>As people write it, with or without schema and quotes.</summary>
    private static bool Makes(Migration migration, EntityDeclaration entity) =>
        Regex.IsMatch(
            migration.Up,
            $@"CREATE\s+TABLE\s+(IF\s+NOT\s+EXISTS\s+)?(""?{Regex.Escape(entity.EngineSchema)}""?\s*\.\s*)?""?{Regex.Escape(entity.EngineTable)}""?\s*\(",
            RegexOptions.IgnoreCase | RegexOptions.CultureInvariant
        );
}
