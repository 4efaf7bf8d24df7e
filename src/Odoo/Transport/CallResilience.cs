using System.Net.Http;
using Cdc.Odoo.Failures;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Timeout;

namespace Cdc.Odoo.Transport;

/// <summary>
/// What is done about failures of network and proxies. Errors that Odoo itself answers with are not repeated here: it has tried five times
/// by itself, and the caller may have newer things to send.
/// </summary>
internal sealed class CallResilience(OdooOptions options, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(500);

    /// <summary>Longer than this nobody waits in a call, whatever Retry-After says: the caller is told.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan Watched = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(5);
    private const int FewestCalls = 10;
    private const double FailedShare = 0.5;

    /// <summary>Around the turn that a sending waits for.</summary>
    public ResiliencePipeline<HttpResponseMessage> Repeats()
    {
        var builder = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time };
        // Polly takes no fewer than one.
        if (options.Attempts > 1)
            builder.AddRetry(
                new HttpRetryStrategyOptions
                {
                    MaxRetryAttempts = options.Attempts - 1,
                    BackoffType = DelayBackoffType.Exponential,
                    Delay = FirstPause,
                    MaxDelay = LongestPause,
                    ShouldHandle = args => ValueTask.FromResult(IsRepeated(args.Context, args.Outcome)),
                    OnRetry = args =>
                    {
                        Told(args.Context, args.Outcome, args.RetryDelay);
                        return ValueTask.CompletedTask;
                    },
                }
            );
        builder.AddCircuitBreaker(
            new HttpCircuitBreakerStrategyOptions
            {
                FailureRatio = FailedShare,
                MinimumThroughput = FewestCalls,
                SamplingDuration = Watched,
                BreakDuration = Rest,
                ShouldHandle = args => ValueTask.FromResult(IsAway(args.Outcome)),
                OnOpened = args =>
                {
                    OdooLog.Away(log, args.BreakDuration.TotalSeconds);
                    return ValueTask.CompletedTask;
                },
                OnClosed = _ =>
                {
                    OdooLog.Back(log);
                    return ValueTask.CompletedTask;
                },
            }
        );
        return builder.Build();
    }

    /// <summary>Around one sending.</summary>
    public ResiliencePipeline<HttpResponseMessage> Timeout() =>
        new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }
            .AddTimeout(new HttpTimeoutStrategyOptions { Timeout = options.Timeout })
            .Build();

    /// <summary>What has surely not been done may be sent again, whatever it is.</summary>
    private bool IsRepeated(ResilienceContext context, Outcome<HttpResponseMessage> outcome) =>
        IsPassing(outcome)
        && !(RetryAfter(outcome.Result, time) > LongestPause)
        && context.GetRequestMessage() is { } request
        && request.Options.TryGetValue(AttemptHandler.Facts, out var facts)
        && (facts.MayBeRepeated || !facts.MayBeApplied);

    private static bool IsPassing(Outcome<HttpResponseMessage> outcome) =>
        outcome.Result is { } response
            ? PageTable.IsPassing((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType)
            : outcome.Exception
                is HttpRequestException { HttpRequestError: not HttpRequestError.SecureConnectionError }
                    or TimeoutRejectedException
                    or IOException
                    or OperationCanceledException { InnerException: TimeoutException };

    /// <summary>A server that wants fewer calls is there.</summary>
    private static bool IsAway(Outcome<HttpResponseMessage> outcome) =>
        IsPassing(outcome) && outcome.Result is not { StatusCode: (System.Net.HttpStatusCode)429 };

    private void Told(ResilienceContext context, Outcome<HttpResponseMessage> outcome, TimeSpan pause)
    {
        var call =
            context.GetRequestMessage() is { } request && request.Options.TryGetValue(AttemptHandler.Facts, out var facts)
                ? facts.Name
                : "";
        var reason = outcome.Result is { } response
            ? $"HTTP {(int)response.StatusCode}"
            : NetworkTable.Of(outcome.Exception!)?.Message ?? "failed";
        OdooLog.SentAgain(log, call, reason.TrimEnd('.'), pause.TotalSeconds);
    }

    /// <summary>Given as a time to wait or as a date.</summary>
    public static TimeSpan? RetryAfter(HttpResponseMessage? response, TimeProvider time) =>
        response?.Headers.RetryAfter is { } wait ? wait.Delta ?? wait.Date - time.GetUtcNow() : null;
}
