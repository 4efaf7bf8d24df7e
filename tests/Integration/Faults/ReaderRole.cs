using Cdc.Tests.Support.Postgres;
using Npgsql;

namespace Cdc.Tests.Integration.Faults;

/// <summary>A role that may log in and nothing else; dropped with all that was granted to it.</summary>
internal sealed class ReaderRole(TestDatabase database, string name) : IAsyncDisposable
{
    public string Name => name;

    public string ConnectionString =>
        new NpgsqlConnectionStringBuilder(database.ConnectionString) { Username = name, Pooling = false }.ConnectionString;

    public static async Task<ReaderRole> CreateAsync(TestDatabase database, string? password)
    {
        var name = database.Name + "_reader";
        await database.ExecuteAsync($"CREATE ROLE {name} LOGIN {(password is null ? "" : $"PASSWORD '{password}'")}", Scene.Ct);
        return new ReaderRole(database, name);
    }

    /// <summary>One that may write the engine's tables and owns none of them.</summary>
    public static async Task<ReaderRole> CreateWriterAsync(TestDatabase engine)
    {
        var role = await CreateAsync(engine, null);
        await engine.ExecuteAsync(
            $"""
            GRANT USAGE ON SCHEMA cdc, public TO {role.Name};
            GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA cdc, public TO {role.Name};
            GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA cdc, public TO {role.Name};
            GRANT SET ON PARAMETER session_replication_role TO {role.Name};
            """,
            Scene.Ct
        );
        return role;
    }

    public async ValueTask DisposeAsync() => await database.ExecuteAsync($"DROP OWNED BY {name}; DROP ROLE {name}", CancellationToken.None);
}
