using System.Globalization;

namespace Cdc.Host.Terminals;

/// <summary>Numbers for people. JSON carries the exact ones.</summary>
internal static class Quantity
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

    public static string Bytes(long? bytes)
    {
        if (bytes is not { } value)
            return "-";
        var size = (double)value;
        var unit = 0;
        for (; Math.Abs(size) >= 1024 && unit < Units.Length - 1; unit++)
            size /= 1024;
        return string.Create(CultureInfo.InvariantCulture, $"{size:0.#} {Units[unit]}");
    }

    public static string Count(long? count) => count?.ToString("#,0", CultureInfo.InvariantCulture) ?? "-";

    public static string Percent(double? percent) =>
        percent?.ToString("0.0", CultureInfo.InvariantCulture) + (percent is null ? "-" : " %");

    public static string Duration(double? seconds) =>
        seconds switch
        {
            null => "-",
            < 60 => seconds.Value.ToString("0.#", CultureInfo.InvariantCulture) + " s",
            < 3600 => TimeSpan.FromSeconds(seconds.Value).ToString("m\\:ss", CultureInfo.InvariantCulture) + " min",
            < 86400 => TimeSpan.FromSeconds(seconds.Value).ToString("h\\:mm\\:ss", CultureInfo.InvariantCulture) + " h",
            _ => (seconds.Value / 86400).ToString("0.#", CultureInfo.InvariantCulture) + " days",
        };

    public static string Time(DateTimeOffset? at) =>
        at?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "-";
}
