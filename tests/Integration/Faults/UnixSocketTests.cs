using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Faults;

/// <summary>Servers on the same machine are reached by their sockets.</summary>
public sealed class UnixSocketTests(OwnServers servers) : IClassFixture<OwnServers>
{
    [Theory]
    [InlineData("Host={folder};Port={port};Database={database};Username=postgres")]
    [InlineData("Host={folder};Port={port};Database={database};Username=postgres;Tcp Keepalive=true;Tcp Keepalive Time=3")]
    [InlineData("host={folder} port={port} dbname={database} user=postgres")]
    [InlineData("postgresql://postgres@/{database}?host={folder}&port={port}")]
    public async Task All_of_it_works_over_sockets(string form)
    {
        await using var scene = await Scene.CreateAsync(servers.Source, servers.Engine);
        var address = $"http://127.0.0.1:{FreePort.Next()}";
        scene.Bed.ApiOptions = scene.Bed.ApiOptions with { Enabled = true, Urls = address };
        scene.Bed.SourceOptions = scene.Bed.SourceOptions with
        {
            ConnectionString = await FilledAsync(form, scene.Source.ConnectionString),
        };
        scene.Bed.EngineOptions = scene.Bed.EngineOptions with
        {
            ConnectionString = await FilledAsync(form, scene.Engine.ConnectionString),
        };
        await scene.CommandAsync(0, "check");
        var run = await scene.FollowingAsync();
        await scene.ChangeAsync();
        await scene.CaughtUpAsync(run);
        await scene.CommandAsync(0, "reconcile");
        using var http = new HttpClient();
        await Eventually.True(
            "the Api reads a card",
            async () => (await http.GetAsync($"{address}/cards/CARD%2050/balance", Scene.Ct)).IsSuccessStatusCode,
            () => Task.FromResult(run.Tail),
            ct: Scene.Ct
        );
        // Load balancers ask by HEAD.
        using var head = await http.SendAsync(new HttpRequestMessage(HttpMethod.Head, address + "/health"), Scene.Ct);
        Assert.True(head.IsSuccessStatusCode);
        await scene.EndsEqualAsync(run);
    }

    private static async Task<string> FilledAsync(string form, string connectionString)
    {
        await using var server = NpgsqlDataSource.Create(connectionString);
        await using var command = server.CreateCommand("SHOW unix_socket_directories");
        var folder = ((string)(await command.ExecuteScalarAsync(Scene.Ct))!).Trim('"');
        Assert.SkipWhen(folder.Length == 0, "The folder's name is too long for a socket.");
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        return form.Replace("{folder}", folder, StringComparison.Ordinal)
            .Replace("{port}", $"{settings.Port}", StringComparison.Ordinal)
            .Replace("{database}", settings.Database, StringComparison.Ordinal);
    }
}
