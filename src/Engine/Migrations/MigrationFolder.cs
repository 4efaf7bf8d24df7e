using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Cdc.Core.Failures;

namespace Cdc.Engine.Migrations;

/// <summary>Files <c>NNNN_name.up.sql</c> and <c>NNNN_name.down.sql</c>, numbered from 1 without gaps.</summary>
internal sealed class MigrationFolder(MigrationSeries series, string folder)
{
    private readonly List<Finding> _findings = [];

    /// <returns>In order of their numbers; at least one.</returns>
    /// <exception cref="FindingsException">Migration: a file is missing, misnamed or there twice.</exception>
    public IReadOnlyList<Migration> Read()
    {
        if (!Directory.Exists(folder))
            Add($"The folder {folder} does not exist.");
        else if (ReadFiles() is { Count: > 0 } migrations && _findings.Count == 0)
            return migrations;
        throw new FindingsException(
            FailureKind.Migration,
            $"The {(series.IsOwn ? "migrations of Entities:Migrations" : "engine's migrations")} in {folder} are not complete.",
            _findings
        );
    }

    private List<Migration> ReadFiles()
    {
        var migrations = Directory
            .GetFiles(folder, "*.up.sql")
            .Order(StringComparer.Ordinal)
            .Select(ReadFile)
            .OfType<Migration>()
            .OrderBy(m => m.Version)
            .ToList();
        for (var i = 0; i < migrations.Count; i++)
            if (migrations[i].Version != i + 1)
                Add($"Migration {i + 1} is missing or there twice: the next file is {migrations[i].Version:D4}_{migrations[i].Name}.");
        if (migrations.Count == 0 && _findings.Count == 0)
            Add($"There is no migration in {folder}.");
        return migrations;
    }

    private Migration? ReadFile(string upPath)
    {
        var stem = Path.GetFileName(upPath)[..^".up.sql".Length];
        var downPath = Path.Combine(folder, stem + ".down.sql");
        var parts = stem.Split('_', 2);
        if (parts.Length != 2 || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var version))
        {
            Add($"{Path.GetFileName(upPath)} is not named NNNN_name.up.sql.");
            return null;
        }
        if (!File.Exists(downPath))
        {
            Add($"{stem} has no {stem}.down.sql.");
            return null;
        }
        var up = ReadText(upPath);
        var checksum = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(up)));
        return new Migration(version, parts[1], up, ReadText(downPath), checksum);
    }

    // A checkout on another system must not count as a changed migration.
    private static string ReadText(string path) => File.ReadAllText(path).ReplaceLineEndings("\n");

    private void Add(string message) =>
        _findings.Add(
            new Finding(
                "migration-files",
                IsError: true,
                message,
                series.IsOwn
                    ? "Name each pair 0001_name.up.sql and 0001_name.down.sql, numbered from 1; or leave Entities:Migrations out."
                    : "Install schemas as they were delivered."
            )
        );
}
