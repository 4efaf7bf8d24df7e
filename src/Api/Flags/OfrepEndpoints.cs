using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cdc.Api.Routes;
using Cdc.Api.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cdc.Api.Flags;

/// <summary>
/// OpenFeature's remote evaluation protocol: flags for any client of OpenFeature. The targeting key is a card (Odoo's id); the context may
/// have "company" (a number) and "service".
/// </summary>
internal static class OfrepEndpoints
{
    private static readonly JsonSerializerOptions Form = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public static void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/ofrep/v1/evaluate/flags").WithTags("Feature flags").WithMetadata(new ScopesNeeded([Scopes.Read]));
        group.MapPost("/{key}", OneAsync).WithSummary("OpenFeature (OFREP): one flag for a context.").Produces<OfrepValue>();
        group.MapPost("", AllAsync).WithSummary("OpenFeature (OFREP): all flags for a context.").Produces<OfrepValues>();
    }

    private static async Task<IResult> OneAsync(string key, HttpContext http, FlagTable flags, Router router)
    {
        var (context, wrong) = await OfrepContext.ReadAsync(http.Request.Body, http.RequestAborted);
        if (wrong is not null)
            return Json(new OfrepFailure(key, wrong.Value.Code, wrong.Value.Details), 400);
        if (!(await flags.AllAsync(http.RequestAborted)).TryGetValue(key, out var flag))
            return Json(new OfrepFailure(key, "FLAG_NOT_FOUND", $"There is no feature flag {key}."), 404);
        var answer = await EvaluateAsync(flag, context!, router, http.RequestAborted);
        return Json(answer, answer is OfrepFailure ? 400 : 200);
    }

    private static async Task<IResult> AllAsync(HttpContext http, FlagTable flags, Router router)
    {
        var (context, wrong) = await OfrepContext.ReadAsync(http.Request.Body, http.RequestAborted);
        if (wrong is not null)
            return Json(new OfrepFailure(null, wrong.Value.Code, wrong.Value.Details), 400);
        var answers = new List<object>();
        foreach (var flag in (await flags.AllAsync(http.RequestAborted)).Values.OrderBy(f => f.Name, StringComparer.Ordinal))
            answers.Add(await EvaluateAsync(flag, context!, router, http.RequestAborted));
        var text = JsonSerializer.Serialize(new OfrepValues(answers), Form);
        var etag = $"\"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..32]}\"";
        http.Response.Headers.ETag = etag;
        return http.Request.Headers.IfNoneMatch.Any(m => m?.Contains(etag, StringComparison.Ordinal) == true)
            ? Results.StatusCode(304)
            : Results.Text(text, "application/json");
    }

    private static async Task<object> EvaluateAsync(FeatureFlag flag, OfrepContext context, Router router, CancellationToken ct)
    {
        var metadata = new Dictionary<string, object> { ["version"] = flag.Version };
        if (!flag.Enabled)
            return new OfrepValue(flag.Name, false, "DISABLED", "off", metadata);
        if (context.TargetingKey is not { Length: > 0 } key)
            return new OfrepFailure(flag.Name, "TARGETING_KEY_MISSING", "The targeting key is a card: Odoo's id of it.");
        if ((await router.RulesAsync(ct))?.Flag == flag.Name && !long.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            return new OfrepFailure(flag.Name, "INVALID_CONTEXT", "The targeting key is a card: Odoo's id of it, a number.");
        var on = await router.IsOnAsync(flag.Name, key, context.Company, context.Service, ct);
        var reason =
            flag.Percentage is > 0 and < 100 ? "SPLIT"
            : flag.Companies.Count > 0 ? "TARGETING_MATCH"
            : "STATIC";
        return new OfrepValue(flag.Name, on, reason, on ? "on" : "off", metadata);
    }

    private static IResult Json(object value, int status) => Results.Json(value, Form, statusCode: status);
}

/// <param name="Reason">One of OpenFeature's.</param>
internal sealed record OfrepValue(string Key, bool Value, string Reason, string Variant, IReadOnlyDictionary<string, object> Metadata);

/// <param name="ErrorCode">One of OpenFeature's.</param>
internal sealed record OfrepFailure(string? Key, string ErrorCode, string ErrorDetails);

/// <param name="Flags">Each an <see cref="OfrepValue"/> or an <see cref="OfrepFailure"/>.</param>
internal sealed record OfrepValues(IReadOnlyList<object> Flags);

/// <summary>For what a flag is evaluated.</summary>
internal sealed record OfrepContext(string? TargetingKey, long? Company, string? Service)
{
    public static async Task<(OfrepContext? Context, (string Code, string Details)? Wrong)> ReadAsync(Stream body, CancellationToken ct)
    {
        try
        {
            using var document = await JsonDocument.ParseAsync(body, cancellationToken: ct);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                return (null, ("PARSE_ERROR", "The body is a JSON object."));
            if (!document.RootElement.TryGetProperty("context", out var context) || context.ValueKind == JsonValueKind.Null)
                return (new OfrepContext(null, null, null), null);
            if (context.ValueKind != JsonValueKind.Object)
                return (null, ("INVALID_CONTEXT", "context is an object."));
            return Read(context);
        }
        catch (JsonException)
        {
            return (null, ("PARSE_ERROR", "The body is not JSON."));
        }
    }

    private static (OfrepContext? Context, (string Code, string Details)? Wrong) Read(JsonElement context)
    {
        long? company = null;
        if (context.TryGetProperty("company", out var given) && given.ValueKind != JsonValueKind.Null)
        {
            if (!long.TryParse(given.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                return (null, ("INVALID_CONTEXT", "company is Odoo's id of a company."));
            company = id;
        }
        return (new OfrepContext(Text(context, "targetingKey"), company, Text(context, "service")), null);
    }

    private static string? Text(JsonElement context, string name) =>
        context.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String or JsonValueKind.Number
            ? value.ToString()
            : null;
}
