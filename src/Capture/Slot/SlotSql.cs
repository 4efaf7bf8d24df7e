using Cdc.Core.Entities;
using Cdc.Core.Postgres;

namespace Cdc.Capture.Slot;

/// <summary>SQL of slot and publication: what is run, and what a remedy prints.</summary>
public static class SlotSql
{
    /// <summary>Columns that only newer versions have are taken out of the row's JSON, so that one text serves them all.</summary>
    public const string Read = """
        SELECT s.slot_name::text, s.plugin::text, s.database::text, s.temporary, s.active, s.active_pid,
               s.confirmed_flush_lsn::text, s.wal_status,
               coalesce(to_jsonb(s) ->> 'invalidation_reason', CASE WHEN (to_jsonb(s) ->> 'conflicting')::boolean THEN 'conflict' END),
               (to_jsonb(s) ->> 'failover')::boolean
        FROM pg_replication_slots s WHERE s.slot_name = $1
        """;

    public static string CreatePublication(string publication, IEnumerable<EntityDeclaration> entities) =>
        $"CREATE PUBLICATION {Sql.Identifier(publication)} FOR TABLE {Tables(entities)}";

    public static string AddTables(string publication, IEnumerable<EntityDeclaration> entities) =>
        $"ALTER PUBLICATION {Sql.Identifier(publication)} ADD TABLE {Tables(entities)}";

    /// <summary>Of a publication that leaves operations out.</summary>
    public static string PublishEverything(string publication) =>
        $"ALTER PUBLICATION {Sql.Identifier(publication)} SET (publish = 'insert, update, delete, truncate');";

    private static string Tables(IEnumerable<EntityDeclaration> entities) =>
        string.Join(", ", entities.Select(e => e.SourceName).Distinct());
}
