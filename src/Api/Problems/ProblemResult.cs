using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Cdc.Api.Problems;

/// <summary>Writes a problem as <c>application/problem+json</c>.</summary>
internal sealed class ProblemResult(Problem problem) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext) => WriteAsync(httpContext.Response, problem, httpContext.RequestAborted);

    public static Task WriteAsync(HttpResponse response, Problem problem, CancellationToken ct)
    {
        response.StatusCode = problem.Status;
        response.ContentType = "application/problem+json";
        response.Headers.CacheControl = "no-store";
        if (problem.RetryAfter is { } seconds)
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(problem.ToJson()), ct).AsTask();
    }
}
