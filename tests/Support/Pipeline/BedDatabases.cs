using Cdc.Engine.Migrations;
using Cdc.Tests.Support.Postgres;
using Cdc.Workload;

namespace Cdc.Tests.Support.Pipeline;

/// <summary>The databases that most tests begin with: each is made once in a run, and copied.</summary>
public static class BedDatabases
{
    /// <summary>With Odoo's tables, empty.</summary>
    public static async Task<TestDatabase> CreateOdooAsync(
        this TestServers servers,
        string prefix,
        CancellationToken ct,
        OdooVersion version = OdooVersion.Delivered
    ) =>
        await servers.Source.CreateDatabaseAsync(
            prefix,
            await servers
                .Source.TemplateAsync(
                    version == OdooVersion.Delivered ? "odoo" : $"odoo_{version}".ToLowerInvariant(),
                    database => database.ExecuteAsync(OdooSchema.Of(version))
                )
                .WaitAsync(ct),
            ct
        );

    /// <summary>As <c>cdc migrate</c> leaves the engine.</summary>
    public static async Task<TestDatabase> CreateEngineAsync(this TestServers servers, string prefix, CancellationToken ct) =>
        await servers.Engine.CreateDatabaseAsync(
            prefix,
            await servers.Engine.TemplateAsync("migrated", database => MigrateAsync(database, CancellationToken.None)).WaitAsync(ct),
            ct
        );

    public static Task MigrateAsync(TestDatabase engine, CancellationToken ct) =>
        new Migrator(engine.DataSource, Migration.ReadAll(SourceTree.PathOf("schemas/engine"))).UpAsync(null, ct);
}
