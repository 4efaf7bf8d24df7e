using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Engine.Privileges;

/// <summary>The connected role and its database.</summary>
/// <param name="HiddenVersions">Tables of applied migrations that the role may not read.</param>
/// <param name="HasSchema">The schema <c>cdc</c> is there.</param>
/// <param name="OwnsSchema">The role is its owner, or acts for it. True where there is none.</param>
/// <param name="SchemaOwner">Null where there is none.</param>
internal sealed record EngineRights(
    string Name,
    string Database,
    bool MayMakeTemporary,
    bool MayCreate,
    bool MayCreateInPublic,
    IReadOnlyList<string> HiddenVersions,
    bool HasSchema,
    bool OwnsSchema,
    string? SchemaOwner
)
{
    public string Grantee => Sql.Identifier(Name);

    public IEnumerable<Finding> OnDatabase()
    {
        if (!MayMakeTemporary)
            yield return EnginePrivileges.Error(
                "engine-temporary",
                $"Role {Name} may not make temporary tables in database {Database}: changes are staged in them.",
                $"GRANT TEMPORARY ON DATABASE {Sql.Identifier(Database)} TO {Grantee};"
            );
        if (HiddenVersions.Count > 0)
            yield return EnginePrivileges.Error(
                EnginePrivileges.Table,
                $"Role {Name} may not read which version the engine's schema has.",
                $"GRANT SELECT ON {string.Join(", ", HiddenVersions)} TO {Grantee}; -- as its owner; 'cdc grants engine' prints all of them"
            );
    }

    public IEnumerable<Finding> ToMigrate()
    {
        if (HasSchema && !OwnsSchema)
        {
            yield return Warning(
                $"Role {Name} cannot run 'cdc migrate' here: {SchemaOwner} owns the tables.",
                $"Run 'cdc migrate' as {SchemaOwner}. Or, as a superuser: GRANT {Sql.Identifier(SchemaOwner!)} TO {Grantee};"
            );
            yield break;
        }
        var grants = new List<string>();
        if (!HasSchema && !MayCreate)
            grants.Add($"GRANT CREATE ON DATABASE {Sql.Identifier(Database)} TO {Grantee};");
        if (!MayCreateInPublic)
            grants.Add($"GRANT CREATE ON SCHEMA public TO {Grantee};");
        if (grants.Count > 0)
            yield return Warning(
                $"Role {Name} cannot run 'cdc migrate': it may not make the engine's tables.",
                $"{string.Join(' ', grants)} -- or run 'cdc migrate' as another role, such as the owner of the database ('cdc grants engine --for migrate')"
            );
    }

    public static EngineRights Read(NpgsqlDataReader row) =>
        new(
            row.GetString(0),
            row.GetString(1),
            row.GetBoolean(2),
            row.GetBoolean(3),
            row.GetBoolean(4),
            row.GetFieldValue<string[]>(5),
            row.GetBoolean(6),
            row.GetBoolean(7),
            row.IsDBNull(8) ? null : row.GetString(8)
        );

    private static Finding Warning(string message, string remedy) => new("engine-create", IsError: false, message, remedy);
}
