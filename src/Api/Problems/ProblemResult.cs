using System.Globalization;
using System.Text.Json;
using Cdc.Api.Schemas;
using Microsoft.AspNetCore.Http;

namespace Cdc.Api.Problems;

/// <summary>Writes a problem as <c>application/problem+json</c>; under the schema registry's paths in that protocol's shape.</summary>
internal sealed class ProblemResult(Problem problem) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext) => WriteAsync(httpContext.Response, problem, httpContext.RequestAborted);

    public static Task WriteAsync(HttpResponse response, Problem problem, CancellationToken ct)
    {
        var registry = RegistryErrors.Owns(response.HttpContext.Request.Path);
        response.StatusCode = problem.Status;
        response.ContentType = registry ? SchemaEndpoints.ContentType : "application/problem+json";
        response.Headers.CacheControl = "no-store";
        if (problem.RetryAfter is { } seconds)
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return response
            .Body.WriteAsync(
                JsonSerializer.SerializeToUtf8Bytes(registry ? RegistryErrors.Body(problem.Status, problem.Detail) : problem.ToJson()),
                ct
            )
            .AsTask();
    }
}
