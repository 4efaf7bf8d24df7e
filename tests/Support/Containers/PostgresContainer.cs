using Cdc.Tests.Support.Postgres;
using DotNet.Testcontainers.Builders;
using Npgsql;
using Testcontainers.PostgreSql;

namespace Cdc.Tests.Support.Containers;

/// <summary>
/// A PostgreSQL server in a container, with the settings and without the passwords of <see cref="PgCluster"/>. It goes with this process.
/// </summary>
public sealed class PostgresContainer : IAsyncDisposable
{
    /// <summary>Odoo's side and the engine's run on two versions, as they do where one of them is upgraded.</summary>
    public const string SourceImage = "postgres:17";
    public const string EngineImage = "postgres:18";

    private readonly PostgreSqlContainer _container;

    private PostgresContainer(PostgreSqlContainer container) => _container = container;

    /// <summary>Of a superuser, to the database <c>postgres</c>.</summary>
    public string ConnectionString =>
        new NpgsqlConnectionStringBuilder
        {
            Host = _container.Hostname,
            Port = _container.GetMappedPublicPort(PostgreSqlBuilder.PostgreSqlPort),
            Database = "postgres",
            Username = "postgres",
        }.ConnectionString;

    /// <exception cref="MissingPrerequisiteException">No Docker engine on this machine.</exception>
    public static async Task<PostgresContainer> StartAsync(string image, PgClusterOptions options, CancellationToken ct)
    {
        var arguments = PgConfiguration.Settings(options).SelectMany(setting => new[] { "-c", $"{setting.Key}={setting.Value}" });
        return await Docker.StartAsync(
            () =>
                new PostgreSqlBuilder(image)
                    .WithDatabase("postgres")
                    .WithUsername("postgres")
                    .WithEnvironment("POSTGRES_HOST_AUTH_METHOD", "trust")
                    .WithCommand([.. arguments])
                    .Build(),
            container => new PostgresContainer(container),
            ct
        );
    }

    public ValueTask DisposeAsync() => _container.DisposeAsync();
}
