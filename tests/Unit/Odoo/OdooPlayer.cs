using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Cdc.Tests.Unit.Odoo;

/// <summary>A call as it arrived.</summary>
internal sealed record PlayedCall(string Request, string? Authorization, string? Database, JsonNode? Body)
{
    /// <summary>MODEL/METHOD over either transport.</summary>
    public string Name => IsRpc ? $"{Args[3]}/{Args[4]}" : Request["POST /json/2/".Length..];

    public bool IsRpc => Request == "POST /jsonrpc";

    public JsonArray Args => Body!["params"]!["args"]!.AsArray();

    public JsonObject Context => (IsRpc ? Args[6]!["context"]! : Body!["context"]!).AsObject();

    /// <summary>An argument by its name over JSON-2, by its place over JSON-RPC.</summary>
    public JsonNode? Argument(string name, int place) =>
        IsRpc ? (Args[5]!.AsArray() is var placed && placed.Count > place ? placed[place] : Args[6]![name]) : Body![name];
}

/// <summary>What it answers; the connection is cut in place of an answer where there is no status.</summary>
internal sealed record PlayedAnswer(int Status, string ContentType, string Text)
{
    public static PlayedAnswer Cut { get; } = new(0, "", "");

    public string? RetryAfter { get; init; }

    public string? Location { get; init; }

    /// <summary>The answer ends behind so many characters of it, and so does the connection.</summary>
    public int? CutAfter { get; init; }

    /// <summary>It comes when this is done.</summary>
    public Task? Until { get; init; }

    public static PlayedAnswer Json(string text, int status = 200) => new(status, "application/json; charset=utf-8", text);

    public static PlayedAnswer Page(int status) => new(status, "text/html", "<html><body>Back soon</body></html>");

    public static implicit operator PlayedAnswer(RecordedAnswer recorded) => new(recorded.Status, recorded.ContentType, recorded.Text);
}

/// <summary>A server on a free port of 127.0.0.1 that answers as an Odoo of one version was seen to.</summary>
internal sealed class OdooPlayer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly string _version;
    private readonly ConcurrentQueue<PlayedAnswer> _script = new();
    private readonly ConcurrentQueue<PlayedCall> _calls = new();

    private OdooPlayer(WebApplication app, string version) => (_app, _version) = (app, version);

    public string Address =>
        _app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First();

    /// <summary>Calls of models, in the order in which they came.</summary>
    public IReadOnlyList<PlayedCall> Calls => [.. _calls];

    /// <summary>Calls of the version and of authenticate.</summary>
    public ConcurrentQueue<string> Others { get; } = new();

    /// <summary>Answers what the script has not.</summary>
    public Func<PlayedCall, PlayedAnswer>? Answers { get; set; }

    /// <summary>In place of the version.</summary>
    public PlayedAnswer? Greeting { get; set; }

    public static async Task<OdooPlayer> StartAsync(string version, CancellationToken ct)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "odoo" });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var player = new OdooPlayer(builder.Build(), version);
        player._app.Run(player.AnswerAsync);
        await player._app.StartAsync(ct);
        return player;
    }

    public void Play(params PlayedAnswer[] answers)
    {
        foreach (var answer in answers)
            _script.Enqueue(answer);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var text = await reader.ReadToEndAsync(context.RequestAborted);
        var call = new PlayedCall(
            $"{context.Request.Method} {context.Request.Path}",
            context.Request.Headers.Authorization,
            context.Request.Headers["X-Odoo-Database"],
            text.Length == 0 ? null : JsonNode.Parse(text)
        );
        await WriteAsync(context, call, Common(call) ?? Next(call));
    }

    private PlayedAnswer Next(PlayedCall call)
    {
        _calls.Enqueue(call);
        return _script.TryDequeue(out var answer) ? answer
            : Answers is { } other ? other(call)
            : throw new InvalidOperationException($"Nothing is to be answered to {call.Name}.");
    }

    /// <summary>What is asked before any model: which Odoo it is, and who calls.</summary>
    private PlayedAnswer? Common(PlayedCall call)
    {
        var hasAddress = int.Parse(_version.Split('.')[0], CultureInfo.InvariantCulture) >= 19;
        var method = call.Body?["params"]?["method"]?.ToString();
        PlayedAnswer? answer = (call.Request, method) switch
        {
            ("GET /web/version", _) when Greeting is { } greeting => greeting,
            ("GET /web/version", _) when hasAddress => Version(RecordedAnswer.Json2("version")),
            ("GET /web/version", _) => PlayedAnswer.Page(404),
            ("POST /jsonrpc", "version") => Version(RecordedAnswer.JsonRpc("JSON-RPC version")),
            ("POST /jsonrpc", "authenticate") => RecordedAnswer.JsonRpc(
                call.Args[1]!.ToString() == "wrong" ? "JSON-RPC authenticate wrong" : "JSON-RPC authenticate"
            ),
            _ => null,
        };
        if (answer is not null)
            Others.Enqueue(method ?? call.Request);
        return answer;
    }

    private PlayedAnswer Version(RecordedAnswer of19) =>
        PlayedAnswer.Json(
            of19.Text.Replace("19.0", _version, StringComparison.Ordinal)
                .Replace("[19,", $"[{_version.Split('.')[0]},", StringComparison.Ordinal)
        );

    private static async Task WriteAsync(HttpContext context, PlayedCall call, PlayedAnswer answer)
    {
        if (answer.Until is { } until)
            await until.WaitAsync(context.RequestAborted);
        if (answer.Status == 0)
        {
            context.Abort();
            return;
        }
        context.Response.StatusCode = answer.Status;
        context.Response.ContentType = answer.ContentType;
        if (answer.RetryAfter is { } wait)
            context.Response.Headers.RetryAfter = wait;
        if (answer.Location is { } location)
            context.Response.Headers.Location = location;
        // Odoo gives back the id that it was given; the records have that of their client.
        var text = call.IsRpc ? answer.Text.Replace("\"id\": 17", $"\"id\": {call.Body!["id"]}", StringComparison.Ordinal) : answer.Text;
        if (answer.CutAfter is { } end)
        {
            context.Response.ContentLength = System.Text.Encoding.UTF8.GetByteCount(text);
            await context.Response.WriteAsync(text[..end], context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            context.Abort();
            return;
        }
        await context.Response.WriteAsync(text, context.RequestAborted);
    }
}
