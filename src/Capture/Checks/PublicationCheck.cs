using Cdc.Capture.Slot;
using Cdc.Capture.Source;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Capture.Checks;

/// <summary>A table of a publication; a row filter or a column list would leave something out of the stream.</summary>
internal sealed record PublishedTable(string Schema, string Table, bool HasFilter, bool HasColumnList);

/// <summary>An existing publication, and whether it brings every change of every declared table.</summary>
internal sealed record PublicationCheck(
    bool AllTables,
    bool Insert,
    bool Update,
    bool Delete,
    bool Truncate,
    bool ViaRoot,
    bool IsOwner,
    IReadOnlyList<PublishedTable> Tables
)
{
    private const string HeadSql = """
        SELECT puballtables, pubinsert, pubupdate, pubdelete, pubtruncate, pubviaroot, pg_has_role(pubowner, 'USAGE')
        FROM pg_publication WHERE pubname = $1
        """;

    /// <summary>Filters and lists exist from 15 on: taken out of the row's JSON, so that 14 answers too.</summary>
    private const string TablesSql = """
        SELECT t.schemaname::text, t.tablename::text,
               coalesce(to_jsonb(r) ->> 'prqual' IS NOT NULL, false), coalesce(to_jsonb(r) ->> 'prattrs' IS NOT NULL, false)
        FROM pg_publication_tables t
        JOIN pg_publication p ON p.pubname = t.pubname
        LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid
             AND r.prrelid = (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                              WHERE n.nspname = t.schemaname AND c.relname = t.tablename)
        WHERE t.pubname = $1
        """;

    /// <returns>Null if there is no such publication.</returns>
    public static async Task<PublicationCheck?> ReadAsync(NpgsqlConnection connection, string publication, CancellationToken ct)
    {
        var found = await connection.Statement(HeadSql, publication).RowsAsync(Head, ct);
        if (found is not [var head])
            return null;
        return head with { Tables = await connection.Statement(TablesSql, publication).RowsAsync(Table, ct) };
    }

    /// <summary>What an administrator has to do when our role may not create the publication itself.</summary>
    public static IEnumerable<Finding> Missing(
        string publication,
        ServerCheck server,
        IReadOnlyDictionary<EntityDeclaration, SourceTable?> tables
    )
    {
        if (server.IsSuperuser || (server.MayCreate && tables.Values.All(t => t is null or { IsOwner: true })))
            yield break;
        yield return Error(
            "publication-missing",
            $"Publication {publication} does not exist, and role {server.Role} may not create it (it needs CREATE on database {server.Database}, and to own the tables).",
            $"{SlotSql.CreatePublication(publication, tables.Keys)}; -- as the owner of the tables, or as a superuser"
        );
    }

    public IEnumerable<Finding> Findings(
        string publication,
        ServerCheck server,
        IReadOnlyDictionary<EntityDeclaration, SourceTable?> tables
    ) =>
        [
            .. Operations(publication),
            .. Coverage(publication, server, tables),
            .. Narrowing(publication, tables.Keys),
            .. Surplus(publication, tables.Keys),
        ];

    private IEnumerable<Finding> Operations(string publication)
    {
        var name = Sql.Identifier(publication);
        if (!(Insert && Update && Delete && Truncate))
            yield return Error(
                "publication-operations",
                $"Publication {publication} leaves out some operations.",
                $"ALTER PUBLICATION {name} SET (publish = 'insert, update, delete, truncate');"
            );
        if (ViaRoot)
            yield return Error(
                "publication-via-root",
                $"Publication {publication} shows partitions under the name of their root: TRUNCATE of a partition is lost.",
                $"ALTER PUBLICATION {name} SET (publish_via_partition_root = false);"
            );
    }

    private IEnumerable<Finding> Coverage(
        string publication,
        ServerCheck server,
        IReadOnlyDictionary<EntityDeclaration, SourceTable?> tables
    )
    {
        var missing = tables.Where(t => t.Value is not null && !Covers(t.Key)).ToList();
        if (missing.Count == 0)
            yield break;
        var sql = SlotSql.AddTables(publication, missing.Select(t => t.Key)) + ";";
        if (!tables.Keys.Any(Covers))
            yield return Error(
                "publication-empty",
                $"Publication {publication} covers none of the declared tables: nothing would ever come.",
                sql
            );
        else if (server.IsSuperuser || (IsOwner && missing.All(t => t.Value!.IsOwner)))
            yield return new Finding(
                "publication-extended",
                IsError: false,
                $"Publication {publication} lacks declared tables; they will be added.",
                sql
            );
        else
            yield return Error(
                "publication-tables",
                $"Publication {publication} lacks declared tables, and role {server.Role} may not add them.",
                sql
            );
    }

    private IEnumerable<Finding> Narrowing(string publication, IEnumerable<EntityDeclaration> entities)
    {
        foreach (var entity in entities.DistinctBy(e => e.SourceName))
        {
            var table = Tables.FirstOrDefault(t => Is(t, entity));
            var remedy =
                $"ALTER PUBLICATION {Sql.Identifier(publication)} DROP TABLE {entity.SourceName}; {SlotSql.AddTables(publication, [entity])};";
            if (table is { HasFilter: true })
                yield return Error(
                    "publication-filter",
                    $"Publication {publication} has a row filter on {entity.SourceName}: rows would be left out.",
                    remedy
                );
            if (table is { HasColumnList: true })
                yield return Error(
                    "publication-columns",
                    $"Publication {publication} has a column list on {entity.SourceName}: columns would be left out.",
                    remedy
                );
        }
    }

    private IEnumerable<Finding> Surplus(string publication, IEnumerable<EntityDeclaration> entities)
    {
        var surplus = Tables
            .Where(t => !entities.Any(e => Is(t, e)))
            .Select(t => $"{Sql.Identifier(t.Schema)}.{Sql.Identifier(t.Table)}")
            .ToList();
        if (surplus.Count > 0)
            yield return new Finding(
                "publication-surplus",
                IsError: false,
                $"Publication {publication} covers {surplus.Count} undeclared tables: their changes are decoded and dropped.",
                AllTables
                    ? "Create a publication of the declared tables only, and name it in Source:Publication."
                    : $"ALTER PUBLICATION {Sql.Identifier(publication)} DROP TABLE {string.Join(", ", surplus)};"
            );
    }

    private bool Covers(EntityDeclaration entity) => Tables.Any(t => Is(t, entity));

    private static bool Is(PublishedTable table, EntityDeclaration entity) =>
        table.Schema == entity.SourceSchema && table.Table == entity.SourceTable;

    private static PublicationCheck Head(NpgsqlDataReader row) =>
        new(
            row.GetBoolean(0),
            row.GetBoolean(1),
            row.GetBoolean(2),
            row.GetBoolean(3),
            row.GetBoolean(4),
            row.GetBoolean(5),
            row.GetBoolean(6),
            []
        );

    private static PublishedTable Table(NpgsqlDataReader row) =>
        new(row.GetString(0), row.GetString(1), row.GetBoolean(2), row.GetBoolean(3));

    private static Finding Error(string code, string message, string remedy) => new(code, IsError: true, message, remedy);
}
