using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Cdc.Tests.Support.Monitoring;

/// <summary>
/// The receiving end of OTLP over gRPC, on 127.0.0.1: a server of HTTP/2 that answers MetricsService/Export as the OpenTelemetry protocol
/// 1.x wants it, and keeps the names of the metrics that came.
/// </summary>
public sealed class OtlpSink : IAsyncDisposable
{
    private const int LengthDelimited = 2;

    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, bool> _names = new();

    private OtlpSink(WebApplication app) => _app = app;

    public Uri Address => new(_app.Urls.Single());

    public IReadOnlyCollection<string> Names => [.. _names.Keys];

    public static async Task<OtlpSink> StartAsync(CancellationToken ct)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder
            .WebHost.UseKestrelCore()
            .UseUrls("http://127.0.0.1:0")
            .ConfigureKestrel(k => k.ConfigureEndpointDefaults(e => e.Protocols = HttpProtocols.Http2));
        builder.Services.AddRouting();
        var sink = new OtlpSink(builder.Build());
        sink._app.MapPost("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", sink.ExportAsync);
        await sink._app.StartAsync(ct);
        return sink;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task ExportAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body, http.RequestAborted);
        // One byte: compressed or not; four: the length of the message.
        var frame = body.ToArray().AsMemory();
        var message = frame.Slice(5, BinaryPrimitives.ReadInt32BigEndian(frame.Span[1..]));
        foreach (var resource in Fields(message, 1))
        foreach (var scope in Fields(resource, 2))
        foreach (var metric in Fields(scope, 2))
        foreach (var name in Fields(metric, 1))
            _names[Encoding.UTF8.GetString(name.Span)] = true;
        http.Response.ContentType = "application/grpc";
        await http.Response.Body.WriteAsync(new byte[5], http.RequestAborted);
        http.Response.AppendTrailer("grpc-status", "0");
    }

    /// <summary>The length-delimited fields of a protobuf message that have this number.</summary>
    private static IEnumerable<ReadOnlyMemory<byte>> Fields(ReadOnlyMemory<byte> message, int number)
    {
        var at = 0;
        while (at < message.Length)
        {
            var tag = Varint(message.Span, ref at);
            switch ((int)(tag & 7))
            {
                case 0:
                    Varint(message.Span, ref at);
                    break;
                case 1:
                    at += 8;
                    break;
                case 5:
                    at += 4;
                    break;
                case LengthDelimited:
                    var length = (int)Varint(message.Span, ref at);
                    if ((int)(tag >> 3) == number)
                        yield return message.Slice(at, length);
                    at += length;
                    break;
                default:
                    throw new InvalidDataException($"Wire type {tag & 7} is none of protobuf's.");
            }
        }
    }

    private static ulong Varint(ReadOnlySpan<byte> bytes, ref int at)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            value |= (ulong)(bytes[at] & 0x7f) << shift;
            if ((bytes[at++] & 0x80) == 0)
                return value;
        }
    }
}
