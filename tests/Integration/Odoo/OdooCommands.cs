using Cdc.Host;
using Cdc.Tests.Integration.Host;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Workload;
using Xunit;

namespace Cdc.Tests.Integration.Odoo;

/// <summary>The command line over a real Odoo's tables, with declarations as they are written.</summary>
internal sealed class OdooCommands : IAsyncDisposable
{
    private OdooCommands(TestDatabase source, TestDatabase engine) => (Source, Engine) = (source, engine);

    public TestDatabase Source { get; }
    public TestDatabase Engine { get; }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<OdooCommands> CreateAsync(TestServers servers, OdooVersion version) =>
        new(await servers.CreateOdooAsync("cmd", Ct, version), await servers.CreateEngineAsync("cmd_engine", Ct));

    /// <summary>With what Odoo itself says of its version.</summary>
    public Task InstallAsync(string version) =>
        Source.ExecuteAsync(
            $"CREATE TABLE ir_module_module (id serial PRIMARY KEY, name varchar, state varchar, latest_version varchar); INSERT INTO ir_module_module (name, state, latest_version) VALUES ('base', 'installed', '{version}')",
            Ct
        );

    /// <param name="entities">A path, or a preset's name; null: the delivered declaration.</param>
    public Task<CommandRun> RunAsync(string? entities, params string[] args) => RunAsync(entities, null, args);

    public Task<CommandRun> RunAsync(string? entities, string? migrations, string[] args) =>
        CommandRun.StartAsync(Composition.Connect(), Environment(entities, migrations), null, new StringWriter(), args, Ct);

    /// <summary>The real <c>cdc run</c>.</summary>
    public Task<WatchedProcess> StartAsync(string? entities, string? migrations = null) =>
        CdcProcess.StartAsync(["run"], Environment(entities, migrations).ToDictionary(e => e.Key, e => (string?)e.Value), Ct);

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await Engine.DisposeAsync();
    }

    private Dictionary<string, string> Environment(string? entities, string? migrations) =>
        new()
        {
            ["CDC__Source__ConnectionString"] = Source.ConnectionString,
            ["CDC__Engine__ConnectionString"] = Engine.ConnectionString,
            ["CDC__Source__SlotName"] = Source.Name,
            ["CDC__Source__Publication"] = Source.Name,
            ["CDC__Entities__File"] = entities ?? SourceTree.PathOf("schemas/entities.json"),
            ["CDC__Entities__Migrations"] = migrations ?? "",
            ["CDC__Api__Enabled"] = "false",
            ["CDC__Continuous__Enabled"] = "false",
        };
}
