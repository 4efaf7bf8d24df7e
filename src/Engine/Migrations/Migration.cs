using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Cdc.Core.Failures;

namespace Cdc.Engine.Migrations;

/// <summary>One step of the engine's schema, with its way back.</summary>
/// <param name="Checksum">SHA-256 of the step up, with line ends as \n.</param>
public sealed record Migration(int Version, string Name, string Up, string Down, string Checksum)
{
    /// <summary>Reads <c>NNNN_name.up.sql</c> and <c>NNNN_name.down.sql</c>, in order of their numbers.</summary>
    /// <exception cref="FindingsException">A step is missing its other half, a number is missing or taken twice.</exception>
    public static IReadOnlyList<Migration> ReadAll(string folder)
    {
        var findings = new List<Finding>();
        if (!Directory.Exists(folder))
            throw Wrong(folder, [Missing($"The folder {folder} does not exist.")]);
        var migrations = Directory
            .GetFiles(folder, "*.up.sql")
            .Order(StringComparer.Ordinal)
            .Select(path => Read(path, findings))
            .OfType<Migration>()
            .ToList();
        for (var i = 0; i < migrations.Count; i++)
            if (migrations[i].Version != i + 1)
                findings.Add(
                    Missing(
                        $"Migration {i + 1} is missing or there twice: the next file is {migrations[i].Version:D4}_{migrations[i].Name}."
                    )
                );
        if (migrations.Count == 0)
            findings.Add(Missing($"There is no migration in {folder}."));
        return findings.Count == 0 ? migrations : throw Wrong(folder, findings);
    }

    private static Migration? Read(string upPath, List<Finding> findings)
    {
        var stem = Path.GetFileName(upPath)[..^".up.sql".Length];
        var downPath = Path.Combine(Path.GetDirectoryName(upPath)!, stem + ".down.sql");
        var parts = stem.Split('_', 2);
        if (parts.Length != 2 || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var version))
        {
            findings.Add(Missing($"{Path.GetFileName(upPath)} is not named NNNN_name.up.sql."));
            return null;
        }
        if (!File.Exists(downPath))
        {
            findings.Add(Missing($"{stem} has no {stem}.down.sql."));
            return null;
        }
        var up = ReadText(upPath);
        return new Migration(
            version,
            parts[1],
            up,
            ReadText(downPath),
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(up)))
        );
    }

    // A checkout on another system must not count as a changed migration.
    private static string ReadText(string path) => File.ReadAllText(path).ReplaceLineEndings("\n");

    private static Finding Missing(string message) =>
        new("migration-files", IsError: true, message, "Install schemas/engine as it was delivered.");

    private static FindingsException Wrong(string folder, IReadOnlyList<Finding> findings) =>
        new(FailureKind.Migration, $"The engine's migrations in {folder} are not complete.", findings);
}

/// <param name="AppliedAt">Null: not applied.</param>
/// <param name="Changed">The file differs from what was applied.</param>
public sealed record MigrationState(Migration Migration, DateTime? AppliedAt, bool Changed);

/// <param name="Migrations">In order of versions.</param>
/// <param name="NewerThanProgram">Applied versions that this program does not have: it is older than the engine's schema.</param>
public sealed record MigrationStatus(IReadOnlyList<MigrationState> Migrations, IReadOnlyList<int> NewerThanProgram)
{
    /// <summary>The highest applied version; 0 if there is none.</summary>
    public int Version =>
        Math.Max(
            NewerThanProgram.DefaultIfEmpty(0).Max(),
            Migrations.Where(m => m.AppliedAt is not null).Select(m => m.Migration.Version).DefaultIfEmpty(0).Max()
        );

    public bool IsCurrent => NewerThanProgram.Count == 0 && Migrations.All(m => m is { AppliedAt: not null, Changed: false });

    /// <summary><c>cdc migrate</c> would bring it up: it is neither newer than this program nor made by other files.</summary>
    public bool IsPending => NewerThanProgram.Count == 0 && !IsCurrent && !Migrations.Any(m => m.Changed);

    /// <summary>Why this program cannot work with it; empty where it is current.</summary>
    public IEnumerable<Finding> Findings()
    {
        if (Newer() is { } newer)
            yield return newer;
        else if (Changed() is { } changed)
            yield return changed;
        else if (!IsCurrent)
            yield return new Finding(
                "migrations",
                IsError: true,
                $"The engine's schema is at version {Version}; this program needs version {Migrations[^1].Migration.Version}.",
                "Run 'cdc migrate'."
            );
    }

    /// <summary>A program that does not know these versions must not touch their tables, nor take anything back.</summary>
    internal Finding? Newer() =>
        NewerThanProgram.Count == 0
            ? null
            : new Finding(
                "engine-newer",
                IsError: true,
                $"The engine's schema is at version {Version}, newer than this program, which knows {Migrations[^1].Migration.Version}.",
                "Run the program that brought it there, or a newer one ('cdc version'); or take its migrations back with that program: "
                    + $"cdc migrate --down {Migrations[^1].Migration.Version} (their tables and rows are dropped)."
            );

    internal Finding? Changed() =>
        Migrations.FirstOrDefault(m => m.Changed) is { Migration: { } changed }
            ? new Finding(
                "migration-changed",
                IsError: true,
                $"Migration {changed.Version:D4}_{changed.Name} was applied, but its file has changed since.",
                "Put the file back as it was delivered, and write a new migration for the change."
            )
            : null;
}
