using Cdc.Capture.Slot;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;

namespace Cdc.Capture;

/// <summary>What roles need in Odoo's database and no more, as SQL that is made from the declaration.</summary>
public static class SourceGrants
{
    /// <summary>For the role of <c>Source:ConnectionString</c>.</summary>
    /// <param name="readAll">By a membership, which is in no dump, and reads every table.</param>
    public static string ToFollow(string publication, EntitySet entities, IReadOnlyList<string> roles, bool readAll = false)
    {
        var script = new GrantScript(roles)
            .Comment(
                """
                What 'cdc run' needs in Odoo's database, and no more. Run it there as a superuser; again whenever a table is declared.
                Afterwards give the role a password (\password), and let it in from cdc's machine alone: in pg_hba.conf it needs a line for its
                database (a line for "replication" is for physical replication, and not needed).
                """
            )
            .Roles(replicate: true);
        Read(script, entities, readAll)
            .Comment("Only the owner of the tables may publish them, so the publication is made here and not by cdc.");
        return Publication(script, publication, entities)
            .Comment("Optional: 'cdc status' shows the age of the oldest transaction of other roles too.")
            .Membership("pg_read_all_stats")
            .ToString();
    }

    /// <summary>For a role of a process that only compares.</summary>
    /// <param name="readAll">As in <see cref="ToFollow"/>.</param>
    public static string ToCompare(EntitySet entities, IReadOnlyList<string> roles, bool readAll = false) =>
        Read(
                new GrantScript(roles)
                    .Comment(
                        """
                        What a process that only compares needs in Odoo's database ('cdc reconcile' with roles of its own; that of 'cdc run' may do
                        the same). It reads, and nothing else. Run it there as a superuser.
                        """
                    )
                    .Roles(),
                entities,
                readAll
            )
            .ToString();

    private static GrantScript Read(GrantScript script, EntitySet entities, bool readAll) =>
        readAll
            ? script
                .OnDatabase("CONNECT")
                .Comment(
                    """
                    Every table may be read, also what is declared later, and Odoo's database.uuid, by which a copy is known. A dump of the database says
                    nothing of it. Rights that were granted on single tables before stay in dumps: REVOKE them.
                    """
                )
                .Membership("pg_read_all_data")
            : ReadDeclared(script.OnDatabase("CONNECT"), entities);

    private static GrantScript ReadDeclared(GrantScript script, EntitySet entities) =>
        script
            .OnSchemas("USAGE", entities.All.Select(e => e.SourceSchema))
            .Comment(
                """
                On whole tables: they are locked in ACCESS SHARE mode while they are read, for which PostgreSQL wants no less than this.
                Every dump of the database carries these rights, and Odoo's database manager restores none of format "dump" where the role is
                missing. Where that matters more than reading no other table: 'cdc grants source --read-all', which is in no dump.
                """
            )
            .OnTables("SELECT", entities.All.Select(e => e.SourceName));

    /// <summary>Of all operations and without a filter, as <see cref="SlotSetup"/> would make it; or what it lacks.</summary>
    private static GrantScript Publication(GrantScript script, string publication, EntitySet entities)
    {
        var name = Sql.Literal(publication);
        var add = Sql.Literal(
            $"ALTER PUBLICATION {Sql.Identifier(publication).Replace("%", "%%", StringComparison.Ordinal)} ADD TABLE %I.%I"
        );
        var tables = string.Join(
            ", ",
            entities.All.Select(e => $"({Sql.Literal(e.SourceSchema)}, {Sql.Literal(e.SourceTable)})").Distinct()
        );
        return script
            .Do(
                $"IF NOT EXISTS (SELECT FROM pg_publication WHERE pubname = {name}) THEN {SlotSql.CreatePublication(publication, entities.All)}; END IF;"
            )
            .Do(
                $"FOR missing IN SELECT d.* FROM (VALUES {tables}) d(schema_name, table_name) WHERE NOT EXISTS (SELECT FROM pg_publication_tables p "
                    + $"WHERE p.pubname = {name} AND p.schemaname = d.schema_name AND p.tablename = d.table_name) "
                    + $"LOOP EXECUTE format({add}, missing.schema_name, missing.table_name); END LOOP;",
                "missing record;"
            );
    }
}
