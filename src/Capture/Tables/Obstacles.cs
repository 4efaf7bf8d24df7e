using System.Collections.Frozen;
using Cdc.Capture.Slot;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;

namespace Cdc.Capture.Tables;

/// <summary>
/// Everything that keeps one table from being followed, in the words of <c>cdc check</c> and of the reason with which a table stops.
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
            TableMissing,
            $"Table {entity.SourceName} does not exist in the source.",
            $"Correct the name in the entities declaration ('{entity.Name}'), or create the table in Odoo (install its module)."
        );

    public static Finding Kind(EntityDeclaration entity, char kind) =>
        Error(
            TableKind,
            $"{entity.SourceName} is not an ordinary table but {KindWord(kind)}: it cannot be followed.",
            $"Declare the table that holds its rows instead ('{entity.Name}'), or give that table its name back."
        );

    public static Finding Unlogged(EntityDeclaration entity) =>
        Error(
            TableUnlogged,
            $"{entity.SourceName} is unlogged: its changes are not in the write-ahead log.",
            $"ALTER TABLE {entity.SourceName} SET LOGGED;"
        );

    /// <summary>The relation that fed an entity is called something else now.</summary>
    public static Finding Renamed(EntityDeclaration entity, string name) =>
        Error(
            TableRenamed,
            $"Table {entity.SourceName} was renamed to {name}: its rows no longer come under the declared name.",
            $"Rename it back, or declare the new name ('{entity.Name}')."
        );

    public static Finding Usage(EntityDeclaration entity, string role) =>
        Error(
            RoleUsage,
            $"Role {role} may not use schema {entity.SourceSchema}: it may not read its tables.",
            $"GRANT USAGE ON SCHEMA {Sql.Identifier(entity.SourceSchema)} TO {Sql.Identifier(role)};"
        );

    public static Finding Select(EntityDeclaration entity, string role) =>
        Error(
            RoleSelect,
            $"Role {role} may not read {entity.SourceName}.",
            $"GRANT SELECT ON {entity.SourceName} TO {Sql.Identifier(role)};"
        );

    public static Finding Hidden(EntityDeclaration entity, string role) =>
        Error(
            RowSecurity,
            $"Row security of {entity.SourceName} hides rows from role {role}: readings would not be whole.",
            $"ALTER ROLE {Sql.Identifier(role)} BYPASSRLS;"
        );

    public static Finding Key(EntityDeclaration entity, IReadOnlyList<string> primary) =>
        Error(
            KeyNotPrimary,
            $"Column {entity.Key.Name} is not the primary key of {entity.SourceName} "
                + $"({(primary.Count == 0 ? "it has none" : string.Join(", ", primary))}).",
            primary.Count == 0
                ? $"ALTER TABLE {entity.SourceName} ADD PRIMARY KEY ({Sql.Identifier(entity.Key.Name)});"
                : $"Declare the primary key as key of '{entity.Name}'."
        );

    /// <summary>A row of the stream had no key: which engine row it is cannot be known.</summary>
    public static Finding RowWithoutKey(EntityDeclaration entity) =>
        Error(
            KeyMissing,
            $"A row of {entity.SourceName} came without its key {entity.Key.Name}.",
            $"ALTER TABLE {entity.SourceName} ADD PRIMARY KEY ({Sql.Identifier(entity.Key.Name)});"
        );

    /// <param name="problem">What it is, such as <c>nothing</c>.</param>
    /// <param name="isDefaultEnough">False: the primary key would not do.</param>
    public static Finding Identity(EntityDeclaration entity, string problem, bool isDefaultEnough) =>
        Error(
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
            isPublished ? IdentityGenerated : IdentityUnpublished,
            $"The replica identity of {entity.SourceName} has generated columns ({string.Join(", ", columns)}): PostgreSQL 18 refuses "
                + $"Odoo's own UPDATE and DELETE {(isPublished ? "now that" : "once")} it is published.",
            isDefaultEnough
                ? $"ALTER TABLE {entity.SourceName} REPLICA IDENTITY DEFAULT;"
                : $"ALTER TABLE {entity.SourceName} {string.Join(", ", columns.Select(c => $"ALTER COLUMN {Sql.Identifier(c)} DROP EXPRESSION"))};"
        );

    public static Finding Column(EntityDeclaration entity, SourceColumn column) =>
        Error(
            ColumnMissing,
            $"Table {entity.SourceName} has no column {column.Name}.",
            $"ALTER TABLE {entity.SourceName} ADD COLUMN {Sql.Identifier(column.Name)} {SourceTypes.Example(column.Type)}; -- or rename it "
                + $"back, or take it out of '{entity.Name}' in the declaration"
        );

    public static Finding ColumnNotStreamed(EntityDeclaration entity, SourceColumn column) =>
        Error(
            ColumnMissing,
            $"The stream brings {entity.SourceName} without column {column.Name}.",
            $"Run 'cdc check'. Add it or rename it back, publish it, or take it out of '{entity.Name}' in the declaration."
        );

    /// <param name="type">Its name, or what else is known of it.</param>
    public static Finding Type(EntityDeclaration entity, SourceColumn column, string type) =>
        Error(
            ColumnType,
            $"Column {column.Name} of {entity.SourceName} is {type}: it cannot be read as {column.Type}.",
            $"ALTER TABLE {entity.SourceName} ALTER COLUMN {Sql.Identifier(column.Name)} TYPE {SourceTypes.Example(column.Type)} "
                + $"USING {Sql.Identifier(column.Name)}::{SourceTypes.Example(column.Type)}; -- or declare its type in '{entity.Name}'"
        );

    public static Finding Generated(EntityDeclaration entity, SourceColumn column) =>
        Error(
            ColumnGenerated,
            $"Column {column.Name} of {entity.SourceName} is generated: the stream does not carry it.",
            $"ALTER TABLE {entity.SourceName} ALTER COLUMN {Sql.Identifier(column.Name)} DROP EXPRESSION; -- or write its expression into "
                + $"'{entity.Name}' in the declaration"
        );

    /// <param name="why">Why cdc does not publish it by itself.</param>
    public static Finding Unpublished(EntityDeclaration entity, CatalogPublication publication, string why) =>
        Error(
            NotPublished,
            $"Table {entity.SourceName} is not in publication {publication.Name}{why}.",
            publication.AllTables
                ? $"It has all tables that PostgreSQL can publish: see what sets {entity.SourceName} apart."
                : SlotSql.AddTables(publication.Name, [entity]) + ";"
        );

    public static Finding Filter(EntityDeclaration entity, string publication) =>
        Error(
            PublishedFilter,
            $"Publication {publication} has a row filter on {entity.SourceName}: rows would be left out, and one on which it fails would stop "
                + "the stream of every table.",
            PublishAnew(entity, publication)
        );

    public static Finding ColumnList(EntityDeclaration entity, string publication, IEnumerable<string> missing) =>
        Error(
            PublishedColumns,
            $"Publication {publication} has a column list on {entity.SourceName} without {string.Join(", ", missing)}.",
            PublishAnew(entity, publication)
        );

    public static Finding ViaRoot(EntityDeclaration entity, string publication, string root) =>
        Error(
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

    private static Finding Error(string code, string message, string remedy) => new(code, IsError: true, message, remedy);
}
