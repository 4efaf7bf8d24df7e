using Cdc.Core.Entities;
using Cdc.Core.Postgres;

namespace Cdc.Engine.Migrations;

/// <summary>The engine table that a declared entity needs, as SQL.</summary>
public static class DeclaredTable
{
    /// <summary>Columns that Apply writes in every engine table.</summary>
    private static readonly EngineColumn[] PositionColumns =
    [
        new("source_generation", "integer", "", NotNull: true),
        new("source_lsn", "pg_lsn", "", NotNull: true),
        new("source_ordinal", "bigint", "", NotNull: true),
        new("source_commit_at", "timestamptz", "", NotNull: false),
    ];

    private static readonly EngineColumn SyncVersion = new("sync_version", "bigint", "", NotNull: true);

    /// <summary>All but the key.</summary>
    internal static IEnumerable<EngineColumn> Columns(EntityDeclaration entity) =>
        [.. entity.Columns, .. PositionColumns, .. entity.HasSyncVersion ? [SyncVersion] : Array.Empty<EngineColumn>()];

    /// <summary>Names of the columns that Apply writes, the key among them.</summary>
    internal static IEnumerable<string> WrittenColumns(EntityDeclaration entity) =>
        Columns(entity).Select(c => c.Name).Append(entity.EngineKey);

    /// <summary>In one line.</summary>
    internal static string Create(EntityDeclaration entity) => $"CREATE TABLE {entity.EngineName} ({string.Join(", ", Lines(entity))});";

    /// <summary>
    /// As the first version of a migration of the operator's: the table, its schema, and indexes by which rows are found, by their parent and
    /// by what they are looked up by.
    /// </summary>
    public static string Plan(EntityDeclaration entity)
    {
        var schema =
            entity.EngineSchema == "public"
                ? ""
                : $"CREATE SCHEMA IF NOT EXISTS {Sql.Identifier(entity.EngineSchema)};{Environment.NewLine}";
        var lines = string.Join("," + Environment.NewLine, Lines(entity).Select(l => "    " + l));
        var indexes = entity
            .Parents.Select(p => p.Column)
            .Concat(entity.NotifyColumn is { } looked ? [looked] : [])
            .Distinct()
            .Select(c => $"CREATE INDEX ON {entity.EngineName} ({Sql.Identifier(c)});{Environment.NewLine}");
        return $"-- {entity.Name}, from {entity.SourceName}{Environment.NewLine}"
            + $"{schema}CREATE TABLE {entity.EngineName} ({Environment.NewLine}{lines}{Environment.NewLine});{Environment.NewLine}"
            + string.Concat(indexes);
    }

    internal static string Definition(EngineColumn column)
    {
        var start =
            column.Type == "pg_lsn" ? " DEFAULT '0/0'"
            : column.NotNull && (column.Name == SyncVersion.Name || PositionColumns.Contains(column)) ? " DEFAULT 0"
            : "";
        return $"{Sql.Identifier(column.Name)} {column.Type}{(column.NotNull ? " NOT NULL" : "")}{start}";
    }

    private static IEnumerable<string> Lines(EntityDeclaration entity) =>
        Columns(entity).Select(Definition).Prepend($"{Sql.Identifier(entity.EngineKey)} bigint PRIMARY KEY");
}
