using System.Globalization;

namespace Cdc.Host.Configuration;

/// <summary>Reads one value from text, with the invariant culture.</summary>
internal static class OptionValue
{
    private static readonly string[] TimesOfDay = ["HH:mm", "HH:mm:ss"];

    public static bool TryParse(Type type, string? text, out object? value)
    {
        value = text is null ? null : Parse(type, text.Trim());
        return value is not null;
    }

    private static object? Parse(Type type, string text) =>
        type switch
        {
            _ when type == typeof(string) => text,
            _ when type == typeof(bool) => bool.TryParse(text, out var flag) ? flag : null,
            _ when type == typeof(int) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                ? number
                : null,
            _ when type == typeof(long) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                ? number
                : null,
            _ when type == typeof(decimal) => decimal.TryParse(
                text,
                NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint,
                CultureInfo.InvariantCulture,
                out var number
            )
                ? number
                : null,
            _ when type == typeof(TimeSpan) => ParseTime(text),
            _ when type == typeof(TimeOnly) => TimeOnly.TryParseExact(
                text,
                TimesOfDay,
                CultureInfo.InvariantCulture,
                DateTimeStyles.None,
                out var time
            )
                ? time
                : null,
            { IsEnum: true } => Enum.GetNames(type).FirstOrDefault(n => n.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } name
                ? Enum.Parse(type, name)
                : null,
            _ => throw new NotSupportedException($"Options of type {type.Name} cannot be read from text."),
        };

    /// <summary>.NET reads a bare number as days: a user who writes 5 does not mean that.</summary>
    private static TimeSpan? ParseTime(string text) =>
        text.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var time) ? time : null;

    public static string Describe(Type type) =>
        type switch
        {
            _ when type == typeof(bool) => "true or false",
            _ when type == typeof(int) || type == typeof(long) => "a whole number",
            _ when type == typeof(decimal) => "a number such as 0.5",
            _ when type == typeof(TimeSpan) => "a duration such as 00:00:01.5",
            _ when type == typeof(TimeOnly) => "a time of the day from 00:00:00 to 23:59:59",
            { IsEnum: true } => "one of " + string.Join(", ", Enum.GetNames(type)),
            _ => "text",
        };
}
