using System.Globalization;
using Cdc.Tests.Support.Odoo.Errors;
using Cdc.Tests.Support.Odoo.Models;
using Cdc.Tests.Support.Odoo.Python;

namespace Cdc.Tests.Support.Odoo.Orm;

/// <summary>Values of fields between Python and the columns.</summary>
internal static class FieldValues
{
    private const string DateForm = "yyyy-MM-dd";
    private const string DateTimeForm = "yyyy-MM-dd HH:mm:ss";

    /// <exception cref="OdooError">A ValueError with Python's words.</exception>
    public static object? ToColumn(OdooField field, object? value, string language) =>
        field.Type switch
        {
            FieldType.Float => ToFloat(value),
            FieldType.Integer => IsNothing(value) ? 0L : ToInteger(value),
            FieldType.Boolean => IsTrue(value),
            FieldType.Many2One => IsNothing(value) ? null : ToInteger(value),
            FieldType.Date => IsNothing(value) ? null : ToDate(value!),
            FieldType.DateTime => IsNothing(value) ? null : ToDateTime(value!),
            // A False is no text; an empty text is one.
            _ when value is null or false => null,
            _ when field.IsTranslated => Translated(Shown(value!), language),
            _ => Shown(value!),
        };

    /// <summary>How a statement writes it.</summary>
    public static string Placeholder(OdooField field, int number) =>
        field.IsTranslated ? $"${number}::jsonb" : string.Create(CultureInfo.InvariantCulture, $"${number}");

    /// <summary>Without relations, which have names.</summary>
    public static object? FromColumn(OdooField field, object? value, string language) =>
        value switch
        {
            null => field.Type switch
            {
                FieldType.Float => 0.0,
                FieldType.Integer => 0L,
                _ => false,
            },
            DateOnly date => date.ToString(DateForm, CultureInfo.InvariantCulture),
            DateTime date when field.Type == FieldType.Date => date.ToString(DateForm, CultureInfo.InvariantCulture),
            DateTime time => time.ToString(DateTimeForm, CultureInfo.InvariantCulture),
            string json when field.IsTranslated => OfLanguage(json, language),
            int number => (long)number,
            _ => value,
        };

    public static string OfLanguage(string json, string language)
    {
        var texts = (PyDict)PyJson.Parse(json)!;
        return texts.GetValueOrDefault(language) as string ?? texts.GetValueOrDefault("en_US") as string ?? "";
    }

    public static DateTime? ParseDateTime(string text) =>
        DateTime.TryParseExact(text, [DateTimeForm, DateForm], CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)
            ? time
            : null;

    public static DateOnly? ParseDate(string text) =>
        DateOnly.TryParseExact(text, DateForm, CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) ? date : null;

    private static bool IsNothing(object? value) => value is null or false or "";

    private static bool IsTrue(object? value) => value is not (null or false or 0L or 0.0 or "");

    private static double ToFloat(object? value) =>
        value switch
        {
            null or false or "" => 0.0,
            bool => 1.0,
            long whole => whole,
            double number => number,
            string text when double.TryParse(text, CultureInfo.InvariantCulture, out var number) => number,
            _ => throw OdooError.Value($"could not convert string to float: {PyRepr.Of(value)}"),
        };

    private static long ToInteger(object? value) =>
        value switch
        {
            bool => 1L,
            long whole => whole,
            double number when double.IsFinite(number) => (long)number,
            string text when long.TryParse(text, CultureInfo.InvariantCulture, out var whole) => whole,
            _ => throw OdooError.Value($"invalid literal for int() with base 10: {PyRepr.Of(value)}"),
        };

    /// <summary>The first ten characters count, whatever follows.</summary>
    private static DateOnly ToDate(object value)
    {
        var text = Shown(value);
        return ParseDate(text.Length > 10 ? text[..10] : text)
            ?? throw OdooError.Value($"time data {PyRepr.Of(text)} does not match format '%Y-%m-%d'");
    }

    private static DateTime ToDateTime(object value) =>
        ParseDateTime(Shown(value))
        ?? throw OdooError.Value($"time data {PyRepr.Of(Shown(value))} does not match format '%Y-%m-%d %H:%M:%S'");

    private static string Shown(object value) => value as string ?? PyRepr.Of(value);

    private static string Translated(string text, string language)
    {
        var texts = new PyDict { ["en_US"] = text };
        texts[language] = text;
        return PyJson.Write(texts);
    }
}
