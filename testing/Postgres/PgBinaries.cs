using System.Globalization;

namespace Cdc.Testing.Postgres;

/// <summary>Where PostgreSQL's server programs are: <c>CDC_PG_BIN</c>, else the newest version that Debian's packages installed.</summary>
internal static class PgBinaries
{
    private const string DebianRoot = "/usr/lib/postgresql";

    /// <exception cref="MissingPrerequisiteException">There are none.</exception>
    public static string Find() =>
        Environment.GetEnvironmentVariable("CDC_PG_BIN") is { Length: > 0 } given
            ? Usable(given)
                ? given
                : throw new MissingPrerequisiteException($"CDC_PG_BIN is {given}: there is no initdb and postgres.")
            : Newest()
                ?? throw new MissingPrerequisiteException(
                    "No PostgreSQL server programs: 'apt-get install postgresql', or set CDC_PG_BIN to the folder of initdb and postgres."
                );

    private static string? Newest() =>
        !Directory.Exists(DebianRoot)
            ? null
            : Directory
                .GetDirectories(DebianRoot)
                .Select(folder => (Bin: Path.Combine(folder, "bin"), Version: Version(folder)))
                .Where(v => Usable(v.Bin))
                .OrderByDescending(v => v.Version)
                .Select(v => v.Bin)
                .FirstOrDefault();

    private static double Version(string folder) =>
        double.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var version) ? version : 0;

    private static bool Usable(string folder) =>
        File.Exists(Path.Combine(folder, "initdb")) && File.Exists(Path.Combine(folder, "postgres"));
}
