using Cdc.Capture.Source;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;

namespace Cdc.Capture.Checks;

/// <summary>Whether the rows of a declared table can be followed, and read.</summary>
internal static class TableCheck
{
    public const string Missing = "table-missing";
    public const string ColumnMissing = "column-missing";
    public const string ColumnType = "column-type";
    public const string RoleUsage = "role-usage";
    public const string RoleSelect = "role-select";
    public const string RowSecurity = "row-security";

    public static IEnumerable<Finding> Findings(EntityDeclaration entity, SourceTable? table, string role)
    {
        if (table is null)
            return
            [
                Error(
                    Missing,
                    $"Table {entity.SourceName} does not exist.",
                    $"Correct the name in the entities declaration ('{entity.Name}'), or create the table in Odoo (install its module)."
                ),
            ];
        if (table.Kind != 'r')
            return
            [
                Error(
                    "table-kind",
                    $"{entity.SourceName} is not an ordinary table: it cannot be followed.",
                    $"Declare the table that holds its rows instead ('{entity.Name}')."
                ),
            ];
        return [.. Storage(entity, table), .. Privileges(entity, table, role), .. Identity(entity, table), .. Columns(entity, table)];
    }

    private static IEnumerable<Finding> Storage(EntityDeclaration entity, SourceTable table)
    {
        if (table.Persistence != 'p')
            yield return Error(
                "table-unlogged",
                $"{entity.SourceName} is unlogged: its changes are not in the write-ahead log.",
                $"ALTER TABLE {entity.SourceName} SET LOGGED;"
            );
    }

    private static IEnumerable<Finding> Privileges(EntityDeclaration entity, SourceTable table, string role)
    {
        var grantee = Sql.Identifier(role);
        if (!table.MayUseSchema)
            yield return Error(
                RoleUsage,
                $"Role {role} may not use schema {entity.SourceSchema}.",
                $"GRANT USAGE ON SCHEMA {Sql.Identifier(entity.SourceSchema)} TO {grantee};"
            );
        if (!table.MaySelect)
            yield return Error(
                RoleSelect,
                $"Role {role} may not read {entity.SourceName}.",
                $"GRANT SELECT ON {entity.SourceName} TO {grantee};"
            );
        if (table.HidesRows)
            yield return Error(
                RowSecurity,
                $"Row security of {entity.SourceName} hides rows from role {role}: snapshots would not be whole.",
                $"ALTER ROLE {grantee} BYPASSRLS;"
            );
    }

    /// <summary>A publication on a table without replica identity makes Odoo's own updates and deletes fail.</summary>
    private static IEnumerable<Finding> Identity(EntityDeclaration entity, SourceTable table)
    {
        var key = entity.Key.Name;
        if (table.PrimaryKey is not [var only] || only != key)
            yield return Error(
                "key-not-primary",
                $"Column {key} is not the primary key of {entity.SourceName} ({Listed(table.PrimaryKey)}).",
                table.PrimaryKey.Count == 0
                    ? $"ALTER TABLE {entity.SourceName} ADD PRIMARY KEY ({Sql.Identifier(key)});"
                    : $"Declare the primary key as key of '{entity.Name}'."
            );
        if (IdentityProblem(table, key) is { } problem)
            yield return Error(
                "replica-identity",
                $"Replica identity of {entity.SourceName}: {problem}.",
                $"ALTER TABLE {entity.SourceName} REPLICA IDENTITY DEFAULT;"
            );
    }

    private static string? IdentityProblem(SourceTable table, string key) =>
        table.Identity switch
        {
            'n' => "nothing; a publication on it makes Odoo's own updates and deletes fail",
            'd' when table.PrimaryKey.Count == 0 =>
                "the primary key, which it lacks; a publication on it makes Odoo's own updates and deletes fail",
            'i' when table.IdentityIndex.Count == 0 =>
                "an index that is gone; a publication on it makes Odoo's own updates and deletes fail",
            'i' when !table.IdentityIndex.Contains(key) => $"an index without {key}; deletes would not say which row",
            _ => null,
        };

    private static IEnumerable<Finding> Columns(EntityDeclaration entity, SourceTable table)
    {
        foreach (var declared in entity.SourceColumns)
        {
            var name = Sql.Identifier(declared.Name);
            var column = table.Columns.FirstOrDefault(c => c.Name == declared.Name);
            if (column is null)
                yield return Error(
                    ColumnMissing,
                    $"Table {entity.SourceName} has no column {declared.Name}.",
                    $"ALTER TABLE {entity.SourceName} ADD COLUMN {name} {SourceTypes.Example(declared.Type)}; -- or take it out of '{entity.Name}' in the declaration"
                );
            else if (column.IsGenerated)
                yield return Error(
                    "column-generated",
                    $"Column {declared.Name} of {entity.SourceName} is generated: the stream does not carry it.",
                    $"ALTER TABLE {entity.SourceName} ALTER COLUMN {name} DROP EXPRESSION; -- or write its expression into '{entity.Name}' in the declaration"
                );
            else if (!SourceTypes.CanRead(declared.Type, column.TypeOid))
                yield return Error(
                    ColumnType,
                    $"Column {declared.Name} of {entity.SourceName} is {column.TypeName}: it cannot be read as {declared.Type}.",
                    $"ALTER TABLE {entity.SourceName} ALTER COLUMN {name} TYPE {SourceTypes.Example(declared.Type)}; -- or declare its type in '{entity.Name}'"
                );
        }
    }

    private static string Listed(IReadOnlyList<string> columns) => columns.Count == 0 ? "it has none" : string.Join(", ", columns);

    private static Finding Error(string code, string message, string remedy) => new(code, IsError: true, message, remedy);
}
