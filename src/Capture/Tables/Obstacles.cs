using System.Collections.Frozen;
using Cdc.Capture.Slot;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;

namespace Cdc.Capture.Tables;

/// <summary>
/// Everything that keeps one table from being followed, in the words of <c>cdc check</c> and of the reason with which a table stops.
/// No remedy changes a table of the source, but for its replica identity: the table is Odoo's, whose next update would change it back, and
/// which does not read what it did not make.
/// </summary>
internal static class Obstacles
{
    public const string TableMissing = "table-missing";
    public const string TableKind = "table-kind";
    public const string TableUnlogged = "table-unlogged";
    public const string TableRenamed = "table-renamed";
    public const string RoleUsage = "role-usage";
    public const string RoleSelect = "role-select";
    public const string RowSecurity = "row-security";
    public const string KeyNotPrimary = "key-not-primary";
    public const string KeyMissing = "key-missing";
    public const string KeyTooWide = "key-too-wide";
    public const string ReplicaIdentity = "replica-identity";

    /// <summary>It is published: what can be written there comes, and only Odoo's own UPDATE and DELETE fail.</summary>
    public const string IdentityGenerated = "identity-generated";

    /// <summary>Publishing it would make them fail.</summary>
    public const string IdentityUnpublished = "identity-generated-unpublished";
    public const string ColumnMissing = "column-missing";
    public const string ColumnType = "column-type";
    public const string ColumnGenerated = "column-generated";
    public const string NotPublished = "publication-tables";
    public const string NonePublished = "publication-empty";
    public const string PublishedFilter = "publication-filter";
    public const string PublishedColumns = "publication-columns";
    public const string PublishedViaRoot = "publication-via-root";

    /// <summary>Codes of columns that cannot be read as declared: even at a first start that keeps no other table waiting.</summary>
    public static FrozenSet<string> OfColumns { get; } = [ColumnMissing, ColumnType, ColumnGenerated];

    /// <summary>Codes of what stops a table and no other.</summary>
    public static FrozenSet<string> OfOneTable { get; } =
    [
        TableMissing,
        TableKind,
        TableUnlogged,
        TableRenamed,
        RoleUsage,
        RoleSelect,
        RowSecurity,
        KeyNotPrimary,
        KeyMissing,
        KeyTooWide,
        ReplicaIdentity,
        IdentityGenerated,
        IdentityUnpublished,
        ColumnMissing,
        ColumnType,
        ColumnGenerated,
        NotPublished,
        NonePublished,
        PublishedFilter,
        PublishedColumns,
        PublishedViaRoot,
    ];

    public static Finding Missing(EntityDeclaration entity) =>
        Error(
            entity,
            TableMissing,
            $"Table {entity.SourceName} does not exist in the source.",
            $"Correct the name in the entities declaration ('{entity.Name}'), or create the table in Odoo (install its module)."
        );

    public static Finding Kind(EntityDeclaration entity, char kind) =>
        Error(
            entity,
            TableKind,
            $"{entity.SourceName} is not an ordinary table but {KindWord(kind)}: it cannot be followed.",
            $"Declare the table that holds its rows instead ('{entity.Name}'), or give that table its name back."
        );

    public static Finding Unlogged(EntityDeclaration entity) =>
        Error(
            entity,
            TableUnlogged,
            $"{entity.SourceName} is unlogged: its changes are not in the write-ahead log.",
            $"Odoo makes no such table: ask who did. Until it is logged, take '{entity.Name}' out of the declaration."
        );

    /// <summary>The relation that fed an entity is called something else now.</summary>
    public static Finding Renamed(EntityDeclaration entity, string name) =>
        Error(
            entity,
            TableRenamed,
            $"Table {entity.SourceName} was renamed to {name}: its rows no longer come under the declared name.",
            $"Rename it back, or declare the new name ('{entity.Name}')."
        );

    /// <summary>
    /// What <c>cdc check</c>, which knows no earlier names, finds besides the missing table. Nobody is told to unpublish it: renamed back it
    /// would not be followed until somebody publishes it again.
    /// </summary>
    public static Finding MayBeRenamed(EntityDeclaration entity, string name, string publication) =>
        new(
            TableRenamed,
            IsError: false,
            $"{name}, which is in publication {publication} and not declared, has every column of {entity.SourceName}: it seems to be that table "
                + "under another name.",
            $"Rename it back, or declare the new name ('{entity.Name}'). Leave it in the publication."
        )
        {
            Table = entity.SourceName,
        };

    public static Finding Usage(EntityDeclaration entity, string role) =>
        Error(
            entity,
            RoleUsage,
            $"Role {role} may not use schema {entity.SourceSchema}: it may not read its tables.",
            $"GRANT USAGE ON SCHEMA {Sql.Identifier(entity.SourceSchema)} TO {Sql.Identifier(role)};"
        ) with
        {
            // Of all tables that are in the schema.
            Table = null,
        };

    public static Finding Select(EntityDeclaration entity, string role) =>
        Error(
            entity,
            RoleSelect,
            $"Role {role} may not read {entity.SourceName}.",
            $"GRANT SELECT ON {entity.SourceName} TO {Sql.Identifier(role)};"
        );

    public static Finding Hidden(EntityDeclaration entity, string role) =>
        Error(
            entity,
            RowSecurity,
            $"Row security of {entity.SourceName} hides rows from role {role}: readings would not be whole.",
            $"ALTER ROLE {Sql.Identifier(role)} BYPASSRLS;"
        );

    /// <param name="proposed">The primary key as it can be declared; null: it cannot.</param>
    public static Finding Key(EntityDeclaration entity, IReadOnlyList<string> primary, string? proposed) =>
        Error(
            entity,
            KeyNotPrimary,
            $"{(IsOneColumn(entity) ? "Column" : "Columns")} {entity.SourceKey.Shown} {(IsOneColumn(entity) ? "is" : "are")} not the "
                + $"primary key of {entity.SourceName} ({(primary.Count == 0 ? "it has none" : string.Join(", ", primary))}).",
            (primary, proposed) switch
            {
                ([], _) =>
                    $"Odoo's own tables have one: ask who took it away. Until it is back, take '{entity.Name}' out of the declaration.",
                ([var only], ['"', ..]) => $"Declare {only} as key of '{entity.Name}'.",
                (_, ['[', ..]) => $"Declare both as key of '{entity.Name}': \"key\": {proposed}.",
                (_, not null) => $"Declare it as key of '{entity.Name}': \"key\": {proposed} (docs/declaration.md).",
                _ => $"A key is of integers, texts and uuids: take '{entity.Name}' out of the declaration.",
            }
        );

    private static bool IsOneColumn(EntityDeclaration entity) => entity.SourceKey.Columns.Count == 1;

    /// <summary>A number stands for both columns, and has 31 bits for each.</summary>
    public static Finding WideKey(EntityDeclaration entity, SourceColumn column) =>
        Error(
            entity,
            KeyTooWide,
            $"Column {column.Name} of {entity.SourceName} is bigint: a key of two columns is of type integer or smallint.",
            $"Odoo's ids are integers: ask who changed it. Where it is to stay bigint, declare \"key\": {{ \"hash\": [\"{string.Join("\", \"", entity.SourceKey.Columns)}\"] }} for '{entity.Name}' and a new engine table (docs/declaration.md)."
        );

    /// <summary>A row of the stream had no key: which engine row it is cannot be known.</summary>
    public static Finding RowWithoutKey(EntityDeclaration entity) =>
        Error(
            entity,
            KeyMissing,
            entity.SecondKey is null
                ? $"A row of {entity.SourceName} came without its key {entity.SourceKey.Shown}."
                : $"A row of {entity.SourceName} came without its key {entity.SourceKey.Shown}, or with a negative number in it.",
            entity.SecondKey is null
                ? $"Its primary key was taken away: ask who did. Until it is back, take '{entity.Name}' out of the declaration."
                : $"Its primary key was taken away, or the row is not Odoo's, whose ids are positive: ask who did. Until that is undone, take "
                    + $"'{entity.Name}' out of the declaration."
        );

    /// <param name="problem">What it is, such as <c>nothing</c>.</param>
    /// <param name="isDefaultEnough">False: the primary key would not do.</param>
    public static Finding Identity(EntityDeclaration entity, string problem, bool isDefaultEnough) =>
        Error(
            entity,
            ReplicaIdentity,
            $"Replica identity of {entity.SourceName}: {problem}.",
            $"ALTER TABLE {entity.SourceName} REPLICA IDENTITY {(isDefaultEnough ? "DEFAULT" : "FULL")};"
        );

    /// <param name="columns">Generated ones that it has and the publication leaves out.</param>
    /// <param name="isDefaultEnough">False: the primary key has one of them.</param>
    public static Finding GeneratedIdentity(
        EntityDeclaration entity,
        IReadOnlyList<string> columns,
        bool isPublished,
        bool isDefaultEnough
    ) =>
        Error(
            entity,
            isPublished ? IdentityGenerated : IdentityUnpublished,
            $"The replica identity of {entity.SourceName} has generated columns ({string.Join(", ", columns)}): PostgreSQL 18 refuses "
                + $"Odoo's own UPDATE and DELETE {(isPublished ? "now that" : "once")} it is published.",
            isDefaultEnough
                ? $"ALTER TABLE {entity.SourceName} REPLICA IDENTITY DEFAULT;"
                : $"Odoo makes no such key: ask who did. Until its columns are plain ones, take '{entity.Name}' out of the declaration and of the publication."
        );

    public static Finding Column(EntityDeclaration entity, SourceColumn column) =>
        Error(
            entity,
            ColumnMissing,
            $"Table {entity.SourceName} has no column {column.Name}.",
            $"Take {column.Name} out of '{entity.Name}' in the declaration, or declare the name that it has now; where it belongs to one of "
                + "Odoo's apps, install that. 'cdc entities list' names the presets, 'cdc check' the one that fits."
        );

    public static Finding ColumnNotStreamed(EntityDeclaration entity, SourceColumn column) =>
        Error(
            entity,
            ColumnMissing,
            $"The stream brings {entity.SourceName} without column {column.Name}.",
            $"Run 'cdc check'. Take it out of '{entity.Name}' in the declaration or declare the name that it has now, or publish it."
        );

    /// <param name="type">Its name, or what else is known of it.</param>
    public static Finding Type(EntityDeclaration entity, SourceColumn column, string type, uint oid) =>
        Error(
            entity,
            ColumnType,
            $"Column {column.Name} of {entity.SourceName} is {type}: it cannot be read as {Word(column.Type)}.",
            SourceTypes.DeclaredAs(oid) switch
            {
                null => $"Take {column.Name} out of '{entity.Name}' in the declaration: no type there reads it.",
                SourceType.Jsonb =>
                    $"Declare it as what it is, in '{entity.Name}': \"{column.Name}\": \"jsonb\". Of a translated text the language is "
                        + $"chosen where it is used: coalesce({column.Name} ->> 'id_ID', {column.Name} ->> 'en_US').",
                { } fitting => $"Declare it as what it is, in '{entity.Name}': \"{column.Name}\": \"{Word(fitting)}\"."
                    + (
                        fitting == SourceType.Number
                            ? $" It reads each type of numbers, also when it changes; expressions cast it: {column.Name}::numeric."
                            : ""
                    ),
            }
        );

    private static string Word(SourceType type) => type.ToString().ToLowerInvariant();

    public static Finding Generated(EntityDeclaration entity, SourceColumn column) =>
        Error(
            entity,
            ColumnGenerated,
            $"Column {column.Name} of {entity.SourceName} is generated: the stream does not carry it.",
            $"Write its expression into '{entity.Name}' in the declaration, over the columns that it is made of."
        );

    /// <param name="why">Why cdc does not publish it by itself.</param>
    public static Finding Unpublished(EntityDeclaration entity, CatalogPublication publication, string why) =>
        Error(
            entity,
            NotPublished,
            $"Table {entity.SourceName} is not in publication {publication.Name}{why}.",
            publication.AllTables
                ? $"It has all tables that PostgreSQL can publish: see what sets {entity.SourceName} apart."
                : SlotSql.AddTables(publication.Name, [entity]) + ";"
        );

    public static Finding Filter(EntityDeclaration entity, string publication) =>
        Error(
            entity,
            PublishedFilter,
            $"Publication {publication} has a row filter on {entity.SourceName}: rows would be left out, and one on which it fails would stop "
                + "the stream of every table.",
            PublishAnew(entity, publication)
        );

    public static Finding ColumnList(EntityDeclaration entity, string publication, IEnumerable<string> missing) =>
        Error(
            entity,
            PublishedColumns,
            $"Publication {publication} has a column list on {entity.SourceName} without {string.Join(", ", missing)}.",
            PublishAnew(entity, publication)
        );

    public static Finding ViaRoot(EntityDeclaration entity, string publication, string root) =>
        Error(
            entity,
            PublishedViaRoot,
            $"Publication {publication} shows the rows of {entity.SourceName} under the name of {root}, which it is a partition of.",
            $"ALTER PUBLICATION {Sql.Identifier(publication)} SET (publish_via_partition_root = false);"
        );

    /// <summary>With what a table stops: what is wrong, and how it goes on.</summary>
    public static string Reason(IEnumerable<Finding> obstacles) =>
        string.Join(' ', obstacles.Select(o => $"{o.Message} To follow it: {o.Remedy}")) + " Then cdc reads the table again by itself.";

    private static string PublishAnew(EntityDeclaration entity, string publication) =>
        $"ALTER PUBLICATION {Sql.Identifier(publication)} DROP TABLE {entity.SourceName}; {SlotSql.AddTables(publication, [entity])};";

    private static string KindWord(char kind) =>
        kind switch
        {
            'p' => "a partitioned one",
            'v' => "a view",
            'm' => "a materialized view",
            'f' => "a foreign table",
            _ => $"something else (relkind {kind})",
        };

    private static Finding Error(EntityDeclaration entity, string code, string message, string remedy) =>
        new(code, IsError: true, message, remedy) { Table = entity.SourceName };
}
