using Cdc.Api.Engine;
using Cdc.Core.Failures;
using Cdc.Core.Postgres.Values;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Cdc.Api.Problems;

/// <summary>What a request throws becomes a problem; so does a status without a body, such as that of an unknown path.</summary>
internal sealed class FailureHandling(ILogger<FailureHandling> log) : IMiddleware
{
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller has disconnected: no answer is read.
            return;
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            await ProblemResult.WriteAsync(context.Response, Explain(context, e), context.RequestAborted);
            return;
        }
        if (context.Response is { HasStarted: false, StatusCode: >= 400, ContentLength: null, ContentType: null } response)
            await ProblemResult.WriteAsync(
                response,
                response.StatusCode == 404
                    ? KnownProblems.NotFound("There is nothing at this path: see /openapi/v1.json.")
                    : KnownProblems.Http(response.StatusCode),
                context.RequestAborted
            );
    }

    private Problem Explain(HttpContext context, Exception e)
    {
        switch (e)
        {
            case EngineUnavailableException unavailable:
                return KnownProblems.EngineUnavailable(unavailable.Message);
            case CdcException
            {
                Kind: FailureKind.Unavailable or FailureKind.Preflight or FailureKind.Migration or FailureKind.Configuration
            } known:
                return KnownProblems.EngineUnavailable(known.Message);
            case BadHttpRequestException bad:
                return KnownProblems.Http(bad.StatusCode);
            default:
                // The route, not the path: a path holds a card's code.
                ApiLog.RequestFailed(log, e, (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "-");
                return KnownProblems.Unexpected;
        }
    }
}
