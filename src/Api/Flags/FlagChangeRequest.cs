using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Cdc.Api.Problems;

namespace Cdc.Api.Flags;

/// <summary>What is to be changed of a flag: what is left out stays as it is.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed partial record FlagChangeRequest(bool? Enabled, decimal? Percentage, IReadOnlyList<long>? Companies)
{
    /// <summary>The body is JSON whatever its Content-Type says: curl -d sends a form's.</summary>
    public static async Task<(FlagChangeRequest? Change, Problem? Problem)> ReadAsync(Stream body, CancellationToken ct)
    {
        try
        {
            var change = await JsonSerializer.DeserializeAsync<FlagChangeRequest>(body, JsonSerializerOptions.Web, ct);
            if (change is null or { Enabled: null, Percentage: null, Companies: null })
                return (null, Wrong("It contains no change."));
            if (change.Percentage is < 0 or > 100)
                return (null, Wrong("percentage is from 0 to 100."));
            return change.Companies is { Count: > 1_000 } ? (null, Wrong("companies are at most 1,000.")) : (change, null);
        }
        catch (JsonException)
        {
            return (null, Wrong("It is not JSON of that shape."));
        }
    }

    public static Problem? CheckName(string name) =>
        Names().IsMatch(name)
            ? null
            : KnownProblems.Invalid("flag-name", "A flag's name has up to 64 lower-case letters, digits, dots, hyphens and underscores.");

    private static Problem Wrong(string why) =>
        KnownProblems.Invalid(
            "body",
            $"Send {{\"enabled\": true|false, \"percentage\": 0..100, \"companies\": [ids]}}, each optional. {why}"
        );

    [GeneratedRegex("^[a-z0-9][a-z0-9._-]{0,63}\\z")]
    private static partial Regex Names();
}
