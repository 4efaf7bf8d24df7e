using System.CommandLine;
using System.Globalization;
using Cdc.Api.Balances;
using Cdc.Expressions.Declaration;
using Cdc.Expressions.Rows;
using Cdc.Testing;
using Cdc.Testing.Processes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Cdc.Bench.Api;

/// <summary>
/// The least that answers a balance: the same query, prepared, over as many connections, as JSON. No keys, no cache, no freshness.
/// </summary>
internal static class BareApi
{
    private const string Name = "bare-api";

    private static readonly Option<string> Engine = new("--engine") { Required = true };
    private static readonly Option<int> Port = new("--port") { Required = true };

    public static Command Create()
    {
        var command = new Command(Name, "What cdc's Api is measured against.") { Engine, Port };
        command.Hidden = true;
        command.SetAction((parsed, ct) => RunAsync(parsed.GetValue(Engine)!, parsed.GetValue(Port), ct));
        return command;
    }

    public static Task<WatchedProcess> StartAsync(string engine, int port, CancellationToken ct) =>
        WatchedProcess.StartAsync(
            new WatchedCommand(
                CdcProcess.DotnetPath,
                typeof(BareApi).Assembly.Location,
                Name,
                "--engine",
                engine,
                "--port",
                port.ToString(CultureInfo.InvariantCulture)
            ),
            ct
        );

    private static async Task RunAsync(string engine, int port, CancellationToken ct)
    {
        var served = ServedCards.Of(EntityFile.Load(SourceTree.PathOf("schemas/entities.json")))!;
        var sql = new CardSql(served, new DeclaredLookup(served.Card, served.Column), "UTC").ByCode;
        await using var connections = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(engine)
            {
                MaxPoolSize = 16,
                MaxAutoPrepare = 32,
                AutoPrepareMinUsages = 1,
            }
        );
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"));
        builder.Services.AddRouting();
        await using var app = builder.Build();
        app.MapGet(
            "/cards/{code}/balance",
            async (string code, CancellationToken gone) =>
            {
                await using var connection = await connections.OpenConnectionAsync(gone);
                await using var command = new NpgsqlCommand(sql, connection)
                {
                    Parameters = { new NpgsqlParameter<string> { TypedValue = code.ToUpperInvariant() } },
                };
                await using var row = await command.ExecuteReaderAsync(gone);
                return await row.ReadAsync(gone) && !row.IsDBNull(1)
                    ? Results.Json(new Balance(row.GetString(6), row.GetInt64(1), row.GetString(7)))
                    : Results.NotFound();
            }
        );
        await app.RunAsync(ct);
    }

    private sealed record Balance(string Code, long CardId, string Points);
}
