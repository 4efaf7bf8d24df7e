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

    /// <summary>
    /// Of one major version: <c>CDC_PG_BIN_N</c>, what <c>./dev</c> fetched, or Debian's. A package of npm has initdb, postgres and pg_ctl only.
    /// </summary>
    /// <exception cref="MissingPrerequisiteException">That version is not there.</exception>
    public static string OfVersion(int major) =>
        new[]
        {
            Environment.GetEnvironmentVariable($"CDC_PG_BIN_{major}"),
            SourceTree.PathOf($".run/postgres-{major}/native/bin"),
            Path.Combine(DebianRoot, $"{major}", "bin"),
        }.FirstOrDefault(folder => folder is { Length: > 0 } && Usable(folder))
        ?? throw new MissingPrerequisiteException(
            $"No server programs of PostgreSQL {major}: './dev test --postgres {major} PostgresVersions' fetches them, or set CDC_PG_BIN_{major}."
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
