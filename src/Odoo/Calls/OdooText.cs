using System.Globalization;

namespace Cdc.Odoo.Calls;

/// <summary>
/// Values as Odoo reads them. Moments have whole seconds, no zone and no T, else the call fails with 500; a fraction is cut.
/// </summary>
public static class OdooText
{
    private const string Moments = "yyyy-MM-dd HH:mm:ss";
    private const string Days = "yyyy-MM-dd";

    public static string Of(DateTimeOffset moment) => moment.UtcDateTime.ToString(Moments, CultureInfo.InvariantCulture);

    public static string Of(DateOnly day) => day.ToString(Days, CultureInfo.InvariantCulture);

    /// <summary>The shortest text that is read as the same double.</summary>
    public static string Of(double number) =>
        double.IsFinite(number)
            ? number.ToString("R", CultureInfo.InvariantCulture)
            : throw new ArgumentOutOfRangeException(nameof(number), "Odoo would store it, and every sum over it is lost.");

    public static string Of(long id) => id.ToString(CultureInfo.InvariantCulture);

    /// <summary>UTC, as Odoo keeps all of them; null: not of that form.</summary>
    public static DateTimeOffset? ReadMoment(string? text) =>
        DateTimeOffset.TryParseExact(text, Moments, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment)
            ? moment
            : null;

    public static DateOnly? ReadDay(string? text) =>
        DateOnly.TryParseExact(text, Days, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : null;
}
