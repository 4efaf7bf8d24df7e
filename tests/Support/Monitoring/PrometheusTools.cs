using Cdc.Tests.Support.Postgres;

namespace Cdc.Tests.Support.Monitoring;

/// <summary>
/// Programs of Debian's packages prometheus and prometheus-alertmanager: the installed ones, or those beside what CDC_PROMTOOL and
/// CDC_AMTOOL name.
/// </summary>
public static class PrometheusTools
{
    /// <exception cref="MissingPrerequisiteException">It is not there.</exception>
    public static string Promtool => Find("promtool", "prometheus", "CDC_PROMTOOL");

    /// <inheritdoc cref="Promtool"/>
    public static string Prometheus => Find("prometheus", "prometheus", "CDC_PROMTOOL");

    /// <inheritdoc cref="Promtool"/>
    public static string Amtool => Find("amtool", "prometheus-alertmanager", "CDC_AMTOOL");

    private static string Find(string name, string package, string variable)
    {
        var folder = Environment.GetEnvironmentVariable(variable) is { Length: > 0 } tool ? Path.GetDirectoryName(tool)! : "/usr/bin";
        var path = Path.Combine(folder, name);
        return File.Exists(path)
            ? path
            : throw new MissingPrerequisiteException(
                $"There is no {name}: install Debian's package {package}, or set {variable} to the path of a tool beside it."
            );
    }
}
