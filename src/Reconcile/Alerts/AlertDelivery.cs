using System.Net;
using System.Net.Http.Json;
using Microsoft.Extensions.Logging;
using Npgsql;
using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace Cdc.Reconcile.Alerts;

/// <summary>
/// Sends fired alerts to the webhook, at least once: one is sent until it was taken, also by the next process. The engine keeps which.
/// </summary>
internal sealed class AlertDelivery(NpgsqlDataSource engine, AlertOptions options, HttpClient http, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly ResiliencePipeline<HttpStatusCode> _retries = Retries(options, time);

    public async Task DeliverAsync(CancellationToken ct)
    {
        if (options.Webhook.Length == 0)
            return;
        await using var connection = await engine.OpenConnectionAsync(ct);
        foreach (var alert in await AlertTable.ListAsync(connection, ct))
            if (alert is { FiredAt: { } firedAt, DeliveredAt: null } && await TrySendAsync(alert, ct))
                await AlertTable.DeliveredAsync(connection, alert.Name, firedAt, time.GetUtcNow(), ct);
    }

    private async Task<bool> TrySendAsync(AlertState alert, CancellationToken ct)
    {
        string why;
        try
        {
            var status = await _retries.ExecuteAsync(async attempt => await SendAsync(alert, attempt), ct);
            if ((int)status is >= 200 and < 300)
                return true;
            why = $"it answers {(int)status}";
        }
        catch (Exception e) when (e is HttpRequestException or TimeoutRejectedException)
        {
            why = e is HttpRequestException ? "it cannot be reached" : "it does not answer in time";
        }
        // Not the address: it may carry a secret.
        ReconcileLog.NotDelivered(log, alert.Name, why);
        return false;
    }

    private async Task<HttpStatusCode> SendAsync(AlertState alert, CancellationToken ct)
    {
        using var response = await http.PostAsJsonAsync(options.Webhook, AlertNotice.Of(alert), ct);
        return response.StatusCode;
    }

    private static ResiliencePipeline<HttpStatusCode> Retries(AlertOptions options, TimeProvider time)
    {
        var builder = new ResiliencePipelineBuilder<HttpStatusCode> { TimeProvider = time };
        // Polly takes no fewer than one.
        if (options.WebhookAttempts > 1)
            builder.AddRetry(
                new RetryStrategyOptions<HttpStatusCode>
                {
                    MaxRetryAttempts = options.WebhookAttempts - 1,
                    BackoffType = DelayBackoffType.Exponential,
                    Delay = FirstPause,
                    MaxDelay = LongestPause,
                    ShouldHandle = new PredicateBuilder<HttpStatusCode>()
                        .Handle<HttpRequestException>()
                        .Handle<TimeoutRejectedException>()
                        .HandleResult(s => (int)s >= 500 || s is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests),
                }
            );
        return builder.AddTimeout(options.WebhookTimeout).Build();
    }
}

/// <summary>What the webhook gets, as JSON in camelCase. Names are added, never changed or removed.</summary>
/// <param name="Rollback">Readers of the engine should go back to Odoo.</param>
/// <param name="Text">For chats that show this field.</param>
internal sealed record AlertNotice(string Alert, bool Rollback, DateTimeOffset FiredAt, long? Run, string? Scope, string Text)
{
    public static AlertNotice Of(AlertState alert) =>
        new(
            alert.Name,
            alert.Name != AlertName.Warning,
            alert.FiredAt!.Value,
            alert.Run,
            alert.Scope,
            $"cdc {alert.Name}: {alert.Message} Check with 'cdc reconcile', then 'cdc alerts rearm {alert.Name}'."
        );
}
