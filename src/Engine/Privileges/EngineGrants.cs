using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Engine.Migrations;

namespace Cdc.Engine.Privileges;

/// <summary>What roles need in the engine's database and no more, as SQL that is made from the declaration.</summary>
public static class EngineGrants
{
    /// <summary>Whose tables are shared by all processes.</summary>
    public const string Schema = "cdc";

    /// <summary>Lets a session switch off the triggers of foreign keys.</summary>
    private const string TriggerParameter = "session_replication_role";

    /// <summary>For the role of <c>cdc migrate</c>, which makes the tables and then owns them.</summary>
    public static string ToMigrate(IReadOnlyList<string> roles) =>
        new GrantScript(roles)
            .Comment(
                """
                What 'cdc migrate' needs in the engine's database: it makes the tables there and owns them. Run it there as a superuser, before
                'cdc migrate'. The owner of the database needs none of this but the last statement.
                """
            )
            .Roles()
            .OnDatabase("CONNECT, CREATE")
            .OnSchemas("USAGE, CREATE", ["public"])
            .Comment("Foreign keys are only made where their triggers can be switched off (PostgreSQL 15; before, only superusers may).")
            .OnParameter(TriggerParameter)
            .ToString();

    /// <summary>For the role of <c>Engine:ConnectionString</c>.</summary>
    public static string ToApply(EntitySet entities, IReadOnlyList<string> roles) =>
        new GrantScript(roles)
            .Comment(
                """
                What 'cdc run' needs in the engine's database, and no more. Run it there as a superuser after 'cdc migrate'; again after a migration
                that adds tables (then the role of 'cdc migrate' may do it too). Afterwards give the role a password (\password).
                """
            )
            .Roles()
            .Comment("TEMPORARY: the session that applies has staging tables.")
            .OnDatabase("CONNECT, TEMPORARY")
            .OnSchemas("USAGE", Schemas(entities))
            .OnTables("SELECT", [MigrationSeries.Delivered.Table])
            .OnTablesIfThere("SELECT", [.. entities.Parts.Select(p => MigrationSeries.OfPreset(p).Table), MigrationSeries.Own.Table])
            .OnAllTables(GrantScript.ReadAndWrite, Schema)
            .OnTables(GrantScript.ReadAndWrite, entities.All.Select(e => e.EngineName))
            .OnSums(entities)
            .Comment(
                "Odoo has enforced the foreign keys: their triggers are off in the session that applies, as in PostgreSQL's own subscriptions."
                    + (entities.Cards is null ? "" : " And what watches the engine's own changes does not watch it.")
            )
            .OnParameter(TriggerParameter)
            .ToString();

    /// <summary>
    /// For a role of a process that only compares: it reads everything, asks the running <c>cdc run</c> for points to compare at and for rows to
    /// be read again, and changes no row of Odoo's.
    /// </summary>
    /// <param name="records">Gives it the tables in which it records what it finds.</param>
    public static string ToCompare(EntitySet entities, IReadOnlyList<string> roles, Action<GrantScript> records)
    {
        var script = new GrantScript(roles)
            .Comment(
                """
                What a process that only compares needs in the engine's database ('cdc reconcile' with roles of its own; that of 'cdc run' may do the
                same). Odoo's rows it changes nowhere. Run it there as a superuser after 'cdc migrate'.
                """
            )
            .Roles()
            .OnDatabase("CONNECT")
            .OnSchemas("USAGE", Schemas(entities))
            .OnTables("SELECT", [MigrationSeries.Delivered.Table, .. entities.All.Select(e => e.EngineName)])
            .OnSums(entities)
            .OnAllTables("SELECT", Schema)
            .Comment("It asks 'cdc run' for a point at which both servers are compared, and for rows to be read again.")
            .OnTables("INSERT, UPDATE", ["cdc.fences"])
            .OnTables("INSERT", ["cdc.requests"])
            .Comment("It records what it finds.");
        records(script);
        return script.ToString();
    }

    /// <summary>They are read; triggers with the rights of their owner write them.</summary>
    private static GrantScript OnSums(this GrantScript script, EntitySet entities)
    {
        foreach (var aggregate in entities.All.Select(e => e.Aggregate).OfType<AggregateDeclaration>())
            script.OnTables("SELECT", [aggregate.Name]);
        return script;
    }

    private static IEnumerable<string> Schemas(EntitySet entities) => [Schema, "public", .. entities.All.Select(e => e.EngineSchema)];
}
