using System.Text.Json;
using System.Text.Json.Nodes;
using Cdc.Core.Schemas;
using Microsoft.AspNetCore.Http;

namespace Cdc.Api.Schemas;

/// <summary>Bodies of the registry's protocol: JSON whatever the Content-Type says, as Confluent's clients send it.</summary>
internal static class SchemaRequest
{
    private const string DefaultContext = ":.:";
    private const string AnyContext = ":*:";

    /// <summary>The schema's text of <c>{"schema": "…"}</c>.</summary>
    /// <exception cref="SchemaRegistryException">There is none, or it is not Avro by itself.</exception>
    public static async Task<string> SchemaAsync(HttpRequest request)
    {
        var body = await BodyAsync(request);
        if (Text(body, "schemaType") is { } type && type != "AVRO")
            throw Invalid($"Schema type {type} is not supported: AVRO is.");
        if (body["references"] is JsonArray { Count: > 0 })
            throw Invalid("Schema references are not supported.");
        return Text(body, "schema") ?? throw Invalid("The body has no schema.");
    }

    /// <summary>A subject as it is kept: <c>:.:s</c> is the subject s in the default context, the only one there is.</summary>
    public static string Subject(string subject) =>
        subject.StartsWith(DefaultContext, StringComparison.Ordinal) ? subject[DefaultContext.Length..] : subject;

    /// <summary>What the names of the subjects begin with that are asked for: in the default context, or (<c>:*:</c>) in any.</summary>
    public static string Prefix(string? prefix) =>
        prefix is null ? ""
        : prefix.StartsWith(AnyContext, StringComparison.Ordinal) ? prefix[AnyContext.Length..]
        : Subject(prefix);

    /// <summary>Newer clients accept properties that older clients do not know and refuse.</summary>
    public static bool KnowsNewProperties(HttpRequest request) =>
        string.Equals(request.Headers["Confluent-Accept-Unknown-Properties"], "true", StringComparison.OrdinalIgnoreCase);

    /// <summary>The level of <c>{"compatibility": "…"}</c>.</summary>
    /// <exception cref="SchemaRegistryException">There is none, or it is not known.</exception>
    public static async Task<CompatibilityLevel> LevelAsync(HttpRequest request) =>
        CompatibilityWords.Parse(Text(await BodyAsync(request), "compatibility"))
        ?? throw new SchemaRegistryException(
            SchemaRegistryException.InvalidLevel,
            "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, forward_transitive, and "
                + "full_transitive."
        );

    /// <summary>A number from 1, or <c>latest</c> (and -1): null.</summary>
    /// <exception cref="SchemaRegistryException">It is neither.</exception>
    public static int? Version(string version)
    {
        if (version is "latest" or "-1")
            return null;
        return
            int.TryParse(version, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number)
            && number > 0
            ? number
            : throw new SchemaRegistryException(
                SchemaRegistryException.InvalidVersion,
                $"The specified version '{version}' is not a valid version id. Allowed values are between [1, 2^31-1] and the string "
                    + "\"latest\"."
            );
    }

    private static async Task<JsonObject> BodyAsync(HttpRequest request)
    {
        try
        {
            return await JsonNode.ParseAsync(request.Body, cancellationToken: request.HttpContext.RequestAborted) as JsonObject
                ?? throw Invalid("The body is a JSON object.");
        }
        catch (JsonException)
        {
            throw Invalid("The body is not JSON.");
        }
    }

    private static string? Text(JsonObject body, string property) =>
        body[property] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static SchemaRegistryException Invalid(string message) => new(SchemaRegistryException.InvalidSchema, message);
}
