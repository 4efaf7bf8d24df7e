using System.Collections.Concurrent;
using System.Net;
using Cdc.Tests.Support.Odoo.Faults;
using Cdc.Tests.Support.Odoo.Http;
using Cdc.Tests.Support.Odoo.Models;
using Cdc.Tests.Support.Odoo.Orm;
using Cdc.Tests.Support.Postgres;
using Cdc.Workload;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Cdc.Tests.Support.Odoo;

/// <summary>
/// An Odoo for tests: a real HTTP server over a real PostgreSQL database with the tables of schemas/odoo, which answers what cdc calls as
/// real Odoo 16 to 19 answered it: JSON-RPC, and JSON-2 on 19. It runs no Python; what it does not know it refuses.
/// </summary>
public sealed class OdooStandIn : IAsyncDisposable
{
    private readonly NpgsqlDataSource _source;
    private readonly CallRunner _runner;
    private readonly Json2Endpoint _json2;
    private readonly JsonRpcEndpoint _rpc;
    private readonly ConcurrentQueue<OdooCall> _calls = new();
    private readonly bool _ownsDatabase;

    /// <summary>A restart is one thing to whoever ends the stand-in meanwhile.</summary>
    private readonly SemaphoreSlim _turn = new(1);
    private CancellationTokenSource _life = new();
    private WebApplication? _app;
    private int _port;

    private OdooStandIn(TestDatabase database, OdooModels models, OdooStandInOptions options, bool ownsDatabase)
    {
        (Database, Version, _ownsDatabase) = (database, models.Major, ownsDatabase);
        var settings = new NpgsqlConnectionStringBuilder(database.ConnectionString)
        {
            MaxPoolSize = options.Connections,
            ApplicationName = "odoo",
            PersistSecurityInfo = true,
            // Odoo shows a message whole.
            IncludeErrorDetail = true,
        };
        _source = NpgsqlDataSource.Create(settings.ConnectionString);
        _runner = new CallRunner(_source, models, options);
        (_json2, _rpc) = (new Json2Endpoint(_source, models, _runner), new JsonRpcEndpoint(_source, models, _runner));
    }

    /// <summary>Such as 19.</summary>
    public int Version { get; }

    public TestDatabase Database { get; }

    /// <summary>Without a path. It stays the same when it is stopped and started.</summary>
    public Uri Address => new($"http://127.0.0.1:{_port}");

    /// <summary>The administrator's API key; the login is <see cref="Login"/>.</summary>
    public string Key { get; } = NewKey();

    public string Login { get; } = "admin";

    /// <summary>What goes wrong, and with which call.</summary>
    public FaultQueue Faults { get; } = new();

    /// <summary>What came in, in order.</summary>
    public IReadOnlyCollection<OdooCall> Calls => _calls;

    /// <summary>With a database of its own, empty but for Odoo's own rows.</summary>
    public static async Task<OdooStandIn> StartAsync(
        TestServers servers,
        int version,
        CancellationToken ct,
        OdooStandInOptions? options = null
    )
    {
        ArgumentNullException.ThrowIfNull(servers);
        var template = await servers
            .Source.TemplateAsync(
                $"odoo_standin_{version}",
                async made =>
                {
                    await made.ExecuteAsync(OdooSchema.Of((OdooVersion)version));
                    await made.ExecuteAsync(SystemTables.Sql(OdooModels.Of(version)));
                }
            )
            .WaitAsync(ct);
        var database = await servers.Source.CreateDatabaseAsync("odoo_standin", template, ct);
        return await StartAsync(new OdooStandIn(database, OdooModels.Of(version), options ?? new(), ownsDatabase: true), ct);
    }

    /// <summary>Over a database that has the tables of schemas/odoo of this version: one that a pipeline follows.</summary>
    public static async Task<OdooStandIn> StartOverAsync(
        TestDatabase odoo,
        int version,
        CancellationToken ct,
        OdooStandInOptions? options = null
    )
    {
        ArgumentNullException.ThrowIfNull(odoo);
        await odoo.ExecuteAsync(SystemTables.Sql(OdooModels.Of(version)), ct);
        return await StartAsync(new OdooStandIn(odoo, OdooModels.Of(version), options ?? new(), ownsDatabase: false), ct);
    }

    /// <summary>An API key, as an administrator makes one in a shell.</summary>
    /// <param name="expires">Null: never. Odoo has this from 18 on.</param>
    public async Task<string> CreateKeyAsync(long user, CancellationToken ct, DateTimeOffset? expires = null)
    {
        var key = NewKey();
        await using var command = Database.DataSource.CreateCommand(
            "INSERT INTO res_users_apikeys (name, user_id, key, expiration_date, create_date) VALUES ('cdc', $1, $2, $3, now() AT TIME ZONE 'UTC')"
        );
        command.Parameters.AddWithValue((int)user);
        command.Parameters.AddWithValue(key);
        command.Parameters.Add(
            new NpgsqlParameter
            {
                Value = expires is { } end ? DateTime.SpecifyKind(end.UtcDateTime, DateTimeKind.Unspecified) : DBNull.Value,
            }
        );
        await command.ExecuteNonQueryAsync(ct);
        return key;
    }

    /// <summary>From now on it is refused.</summary>
    public Task ExpireKeyAsync(string key, CancellationToken ct) =>
        Database.ExecuteAsync(
            $"UPDATE res_users_apikeys SET expiration_date = clock_timestamp() AT TIME ZONE 'UTC' WHERE key = '{key}'",
            ct
        );

    /// <summary>A constraint of somebody's module: a row with this value in this field is refused with a ValidationError.</summary>
    public void Refuse(string model, string field, string value, string message) => _runner.Refusals.Add(model, field, value, message);

    /// <summary>The same is accepted again.</summary>
    public void Accept(string model, string field, string value) => _runner.Refusals.Remove(model, field, value);

    /// <summary>A backup: all rows, and the sequences.</summary>
    public Task<OdooBackup> BackupAsync(CancellationToken ct) => OdooBackup.TakeAsync(Database, ct);

    /// <summary>Nobody listens any more; calls that run are undone, and their connections reset.</summary>
    public async Task StopAsync()
    {
        await _turn.WaitAsync();
        try
        {
            await EndAsync();
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>At the same address.</summary>
    public async Task StartAgainAsync(CancellationToken ct)
    {
        await _turn.WaitAsync(ct);
        try
        {
            await ListenAsync(ct);
        }
        finally
        {
            _turn.Release();
        }
    }

    public async Task RestartAsync(CancellationToken ct)
    {
        await _turn.WaitAsync(ct);
        try
        {
            await EndAsync();
            await ListenAsync(ct);
        }
        finally
        {
            _turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _life.Dispose();
        _turn.Dispose();
        await _source.DisposeAsync();
        if (_ownsDatabase)
            await Database.DisposeAsync();
    }

    private async Task EndAsync()
    {
        if (_app is null)
            return;
        await _life.CancelAsync();
        try
        {
            // At once: connections are reset.
            await _app.StopAsync(_life.Token);
        }
        catch (OperationCanceledException)
        {
            // As it was asked to be.
        }
        await _app.DisposeAsync();
        _app = null;
        _life.Dispose();
        _life = new CancellationTokenSource();
    }

    private async Task ListenAsync(CancellationToken ct)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "odoo" });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, _port));
        _app = builder.Build();
        _app.Run(ServeAsync);
        await _app.StartAsync(ct);
        _port = new Uri(
            _app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First()
        ).Port;
    }

    private static async Task<OdooStandIn> StartAsync(OdooStandIn odoo, CancellationToken ct)
    {
        await odoo.Database.ExecuteAsync(
            $"""
            INSERT INTO res_users_apikeys (name, user_id, key) VALUES ('tests', {SystemTables.Administrator}, '{odoo.Key}');
            UPDATE ir_config_parameter SET value = gen_random_uuid()::text WHERE key = 'database.uuid'
            """,
            ct
        );
        await odoo.StartAgainAsync(ct);
        return odoo;
    }

    private async Task ServeAsync(HttpContext context)
    {
        // What a client has sent is done, whether it waits for the answer or not.
        var life = _life.Token;
        try
        {
            var request = await OdooRequest.ReadAsync(context.Request, life);
            var kind = CallKind.Of(request);
            var fault = Faults.Take(kind);
            _calls.Enqueue(new OdooCall(kind, request.Body, fault?.Name));
            // A copy that is delivered late meets the Odoo of that time.
            Serve serve = beforeCommit => AnswerAsync(request, beforeCommit, _life.Token);
            if ((fault is null ? await serve() : await fault.RunAsync(serve)) is { } answer)
                await answer.WriteAsync(context.Response, life);
            else
                context.Abort();
        }
        catch (Exception e) when (life.IsCancellationRequested && e is OperationCanceledException or IOException or NpgsqlException)
        {
            context.Abort();
        }
    }

    private async Task<OdooAnswer> AnswerAsync(OdooRequest request, Func<Task>? beforeCommit, CancellationToken ct) =>
        request switch
        {
            { Path: JsonRpcEndpoint.Path, Method: "POST" } => await _rpc.AnswerAsync(request, Database.Name, beforeCommit, ct),
            { Path: "/web/version" or "/json/version", Method: "GET" } when Version >= 19 => OdooAnswer.Json(VersionInfo.Web(Version)),
            { Path: "/web/webclient/version_info", Method: "POST" } => OdooAnswer.OfRpc(null, VersionInfo.Rpc(Version)),
            _ when Json2Endpoint.IsFor(request) => await _json2.AnswerAsync(request, Database.Name, beforeCommit, ct),
            _ => OdooAnswer.Html(404, "Not Found", "The requested URL was not found on the server."),
        };

    private static string NewKey() => Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(20));
}
