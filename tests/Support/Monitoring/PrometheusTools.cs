using Cdc.Tests.Support.Postgres;

namespace Cdc.Tests.Support.Monitoring;

/// <summary>Programs of Debian's package prometheus: the installed ones, or those beside what CDC_PROMTOOL names.</summary>
public static class PrometheusTools
{
    /// <exception cref="MissingPrerequisiteException">It is not there.</exception>
    public static string Promtool => Find("promtool");

    /// <inheritdoc cref="Promtool"/>
    public static string Prometheus => Find("prometheus");

    private static string Find(string name)
    {
        var folder = Environment.GetEnvironmentVariable("CDC_PROMTOOL") is { Length: > 0 } promtool
            ? Path.GetDirectoryName(promtool)!
            : "/usr/bin";
        var path = Path.Combine(folder, name);
        return File.Exists(path)
            ? path
            : throw new MissingPrerequisiteException(
                $"There is no {name}: install Debian's package prometheus, or set CDC_PROMTOOL to the path of its promtool."
            );
    }
}
