using Cdc.Capture.Slot;
using Cdc.Capture.Tables;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Capture.Checks;

/// <summary>Whether the publication, of whatever form, brings every change of every declared table.</summary>
internal static class PublicationCheck
{
    /// <summary>It leaves out some operations, of every table. Where the source is followed already that is a gap.</summary>
    public const string Partial = "publication-operations";

    private const string Extended = "publication-extended";

    private const int MostNames = 20;

    private const string SurplusSql = """
        SELECT format('%I.%I', t.schemaname, t.tablename),
               EXISTS (SELECT FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid JOIN pg_class c ON c.oid = r.prrelid
                       JOIN pg_namespace n ON n.oid = c.relnamespace
                       WHERE p.pubname = t.pubname AND n.nspname = t.schemaname AND c.relname = t.tablename),
               to_jsonb(t) ->> 'rowfilter' IS NOT NULL,
               ARRAY(SELECT a.attname::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                     WHERE n.nspname = t.schemaname AND c.relname = t.tablename AND a.attnum > 0 AND NOT a.attisdropped)
        FROM pg_publication_tables t
        WHERE t.pubname = $1 AND NOT EXISTS (
            SELECT FROM unnest($2::text[], $3::text[]) d(schema_name, table_name)
            WHERE d.schema_name = t.schemaname AND d.table_name = t.tablename)
        ORDER BY 1
        """;

    public static async Task<IReadOnlyList<Finding>> FindingsAsync(
        NpgsqlConnection connection,
        string name,
        SourceCatalog catalog,
        ServerCheck server,
        CancellationToken ct
    )
    {
        if (catalog.Publication is not { } publication)
            return [.. Missing(name, server, catalog)];
        return
        [
            .. Operations(publication),
            .. Coverage(publication, server, catalog),
            .. catalog.Tables.SelectMany(t => Narrowing(t.Entity, t.Table, publication.Name)),
            .. await SurplusAsync(connection, publication, catalog, ct),
        ];
    }

    /// <summary>It is to be made, or tables added to it, by cdc itself: all that is ever written in the source's catalog.</summary>
    /// <param name="findings">Of <see cref="FindingsAsync"/>.</param>
    public static bool IsWritten(SourceCatalog catalog, IReadOnlyList<Finding> findings) =>
        catalog.Publication is null ? findings.Count == 0 : findings.Any(f => f.Code == Extended);

    /// <summary>What an administrator has to do when our role may not create the publication itself.</summary>
    private static IEnumerable<Finding> Missing(string name, ServerCheck server, SourceCatalog catalog)
    {
        if (server.IsSuperuser || (server.MayCreate && catalog.Tables.All(t => t.Table is null or { Rights.IsOwner: true })))
            yield break;
        // Not of those that are missing: then it would fail.
        var tables = catalog.Tables.Where(t => t.Table is not null).Select(t => t.Entity).ToList();
        yield return Error(
            GapKinds.PublicationMissing,
            $"Publication {name} does not exist, and role {server.Role} may not create it (it needs CREATE on database {server.Database}, and to own the tables).",
            $"{SlotSql.CreatePublication(name, tables.Count > 0 ? tables : catalog.Tables.Select(t => t.Entity))}; -- as the owner of the tables, or as a superuser"
        );
    }

    private static IEnumerable<Finding> Operations(CatalogPublication publication)
    {
        if (!publication.IsWhole)
            yield return Error(
                Partial,
                $"Publication {publication.Name} leaves out some operations.",
                SlotSql.PublishEverything(publication.Name)
            );
    }

    /// <summary>A table that could do harm in a publication has findings of its own, and is not to be added before they are fixed.</summary>
    private static IEnumerable<Finding> Coverage(CatalogPublication publication, ServerCheck server, SourceCatalog catalog)
    {
        var missing = TableJudge.Unpublished(catalog);
        if (missing.Count == 0)
            yield break;
        var sql = SlotSql.AddTables(publication.Name, missing) + ";";
        if (catalog.Tables.All(t => t.Table?.Membership is null))
            yield return Error(
                Obstacles.NonePublished,
                $"Publication {publication.Name} covers none of the declared tables: nothing would ever come.",
                sql
            );
        else if (server.IsSuperuser || (publication.IsOwner && catalog.Owns(missing)))
            yield return new Finding(
                Extended,
                IsError: false,
                $"Publication {publication.Name} lacks declared tables; they will be added.",
                sql
            );
        else
            yield return Error(
                Obstacles.NotPublished,
                $"Publication {publication.Name} lacks declared tables, and role {server.Role} may not add them.",
                sql
            );
    }

    private static IEnumerable<Finding> Narrowing(EntityDeclaration entity, CatalogTable? table, string publication) =>
        table is { Membership: { } member } && TableJudge.MayBePublished(entity, table)
            ? TableJudge.OfMembership(entity, table, member, publication)
            : [];

    private static async Task<IReadOnlyList<Finding>> SurplusAsync(
        NpgsqlConnection connection,
        CatalogPublication publication,
        SourceCatalog catalog,
        CancellationToken ct
    )
    {
        string[] schemas = [.. catalog.Tables.Select(t => t.Entity.SourceSchema)];
        string[] tables = [.. catalog.Tables.Select(t => t.Entity.SourceTable)];
        var surplus = await connection
            .Statement(SurplusSql, publication.Name, schemas, tables)
            .RowsAsync(row => new SurplusTable(row.GetString(0), row.GetBoolean(1), row.GetBoolean(2), row.GetFieldValue<string[]>(3)), ct);
        var renamed = Renamed(catalog, surplus);
        return
        [
            .. renamed.Select(t => Obstacles.MayBeRenamed(t.Entity, t.Table.Name, publication.Name)),
            .. Undeclared(publication, [.. surplus.Except(renamed.Select(t => t.Table))]),
            .. surplus.Where(t => t.HasFilter).Select(t => FilterOfOther(publication.Name, t, renamed.Exists(r => r.Table == t))),
        ];
    }

    private static IEnumerable<Finding> Undeclared(CatalogPublication publication, IReadOnlyList<SurplusTable> surplus)
    {
        if (surplus.Count == 0)
            yield break;
        yield return new Finding(
            "publication-surplus",
            IsError: false,
            $"Publication {publication.Name} covers {surplus.Count} undeclared tables ({Listed([.. surplus.Select(t => t.Name)])}): "
                + "their changes are decoded and dropped.",
            surplus.All(t => t.IsEntry)
                ? $"ALTER PUBLICATION {Sql.Identifier(publication.Name)} DROP TABLE {string.Join(", ", surplus.Select(t => t.Name))};"
                : "Nothing is lost by it: it costs the source CPU. To avoid that, make a publication FOR TABLE of the declared tables "
                    + "alone before cdc is started for the first time, and name it in Source:Publication."
        );
    }

    /// <summary>
    /// Declared tables that are not there under their names, or only something else, each with the one table that has its columns. Where
    /// several could be it (small tables are alike), none is called so.
    /// </summary>
    private static List<(SurplusTable Table, EntityDeclaration Entity)> Renamed(SourceCatalog catalog, IReadOnlyList<SurplusTable> surplus)
    {
        var candidates = catalog
            .Tables.Where(t => t.Table is not { Kind: 'r' })
            .SelectMany(lost =>
                surplus
                    .Where(t => lost.Entity.SourceColumns.All(c => t.Columns.Contains(c.Name)))
                    .Select(table => (Table: table, lost.Entity))
            )
            .ToList();
        return [.. candidates.Where(c => candidates.Count(other => other.Table == c.Table || other.Entity == c.Entity) == 1)];
    }

    /// <summary>It is evaluated for each of that table's changes, though nobody wants them.</summary>
    /// <param name="isDeclared">Under another name, as it seems: it stays in the publication.</param>
    private static Finding FilterOfOther(string publication, SurplusTable table, bool isDeclared) =>
        new(
            "publication-filter-undeclared",
            IsError: false,
            $"Publication {publication} has a row filter on {table.Name}, which is not declared: a row on which it fails (such as a division by "
                + "zero) would stop the stream of every table.",
            $"ALTER PUBLICATION {Sql.Identifier(publication)} DROP TABLE {table.Name};"
                + (isDeclared ? $" ALTER PUBLICATION {Sql.Identifier(publication)} ADD TABLE {table.Name};" : "")
        );

    /// <param name="IsEntry">It is in the publication by itself, not with all tables or with its schema.</param>
    private sealed record SurplusTable(string Name, bool IsEntry, bool HasFilter, IReadOnlyList<string> Columns);

    private static string Listed(List<string> names) => string.Join(", ", names.Take(MostNames)) + (names.Count > MostNames ? ", …" : "");

    private static Finding Error(string code, string message, string remedy) => new(code, IsError: true, message, remedy);
}
