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

    public async ValueTask DisposeAsync() => await database.ExecuteAsync($"DROP OWNED BY {name}; DROP ROLE {name}", CancellationToken.None);
}
