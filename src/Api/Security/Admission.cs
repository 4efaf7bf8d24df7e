using System.Net;
using System.Text;
using System.Threading.RateLimiting;
using Cdc.Api.Problems;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Cdc.Api.Security;

/// <summary>
/// Lets a request in, or says why not: its key, the scope its endpoint needs, the key's rate. Endpoints without a scope (health, the
/// description, the page itself) are open.
/// </summary>
internal sealed class Admission(KeyRing keys, ApiOptions options) : IMiddleware, IDisposable
{
    private readonly PartitionedRateLimiter<ApiKey> _rates = PartitionedRateLimiter.Create<ApiKey, (string, int)>(key =>
        RateLimitPartition.GetTokenBucketLimiter(
            (key.Id, key.RequestsPerSecond ?? options.RequestsPerSecond),
            p => new TokenBucketRateLimiterOptions
            {
                TokenLimit = p.Item2,
                TokensPerPeriod = Math.Max(1, p.Item2 / 10),
                ReplenishmentPeriod = TimeSpan.FromSeconds(p.Item2 < 10 ? 1d / p.Item2 : 0.1),
                QueueLimit = 0,
            }
        )
    );

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<ScopesNeeded>() is not { } needed)
        {
            await next(context);
            return;
        }
        var (key, anyMade) = await keys.FindAsync(Given(context.Request), context.RequestAborted);
        // Whether a key is needed is not known: on this machine the pipeline may be watched, and nothing else is answered.
        var open = anyMade == false || (anyMade is null && context.GetEndpoint()!.Metadata.GetMetadata<WatchesPipeline>() is not null);
        var caller =
            key is null && open && LocalOrigin.IsTrusted(context) ? Caller.Local
            : key is null ? null
            : new Caller(key);
        if (Refusal(context, caller, anyMade, needed) is { } problem)
        {
            await ProblemResult.WriteAsync(context.Response, problem, context.RequestAborted);
            return;
        }
        caller!.Enter(context);
        await next(context);
    }

    public void Dispose() => _rates.Dispose();

    private Problem? Refusal(HttpContext context, Caller? caller, bool? anyMade, ScopesNeeded needed)
    {
        if (caller is null && anyMade == true)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            return KnownProblems.KeyNeeded;
        }
        if (caller is null && anyMade is null)
            return KnownProblems.KeysUnknown;
        if (caller is null)
            return KnownProblems.OnlyLocal;
        if (!caller.Has(needed.AnyOf))
            return KnownProblems.ScopeNeeded(string.Join("' or '", needed.AnyOf));
        if (caller.Key is null)
            return null;
        using var lease = _rates.AttemptAcquire(caller.Key);
        return lease.IsAcquired
            ? null
            : KnownProblems.TooManyRequests(
                lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? Math.Max(1, (int)Math.Ceiling(after.TotalSeconds)) : 1
            );
    }

    private static string? Given(HttpRequest request)
    {
        if ((string?)request.Headers.Authorization is { } authorization)
        {
            if (authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
                return authorization[7..].Trim();
            if (authorization.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase))
                return PasswordIn(authorization[6..].Trim());
        }
        return request.Headers["X-Api-Key"];
    }

    /// <summary>Clients of schema registries know no other way: the password is the key, the user may be anything.</summary>
    private static string? PasswordIn(string credentials)
    {
        Span<byte> text = stackalloc byte[256];
        if (!Convert.TryFromBase64String(credentials, text, out var length))
            return null;
        var colon = text[..length].IndexOf((byte)':');
        return colon < 0 ? null : Encoding.UTF8.GetString(text[(colon + 1)..length]);
    }
}
