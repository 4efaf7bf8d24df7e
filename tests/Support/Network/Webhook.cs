using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Cdc.Tests.Support.Network;

/// <summary>A server on a free port of 127.0.0.1 that keeps what is posted to it.</summary>
public sealed class Webhook : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<string> _bodies = new();
    private readonly ConcurrentQueue<int> _answers;

    private Webhook(WebApplication app, IEnumerable<int> answers) => (_app, _answers) = (app, new ConcurrentQueue<int>(answers));

    public string Address =>
        _app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First() + "/hook";

    public IReadOnlyCollection<string> Bodies => _bodies;

    /// <param name="answers">Status codes in their order; after the last of them 200.</param>
    public static async Task<Webhook> StartAsync(CancellationToken ct, params int[] answers)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "webhook" });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var hook = new Webhook(builder.Build(), answers);
        hook._app.Run(hook.AnswerAsync);
        await hook._app.StartAsync(ct);
        return hook;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        _bodies.Enqueue(await reader.ReadToEndAsync(context.RequestAborted));
        context.Response.StatusCode = _answers.TryDequeue(out var status) ? status : 200;
    }
}
