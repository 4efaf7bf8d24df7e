using Cdc.Core.Failures;

namespace Cdc.Engine.Migrations;

/// <summary>One step of the engine's schema, with its way back.</summary>
/// <param name="Checksum">SHA-256 of the step up, with line ends as \n.</param>
public sealed record Migration(int Version, string Name, string Up, string Down, string Checksum)
{
    /// <summary>The delivered ones: <c>NNNN_name.up.sql</c> and <c>NNNN_name.down.sql</c>, in order of their numbers.</summary>
    /// <exception cref="FindingsException">A step is missing its other half, a number is missing or taken twice.</exception>
    public static IReadOnlyList<Migration> ReadAll(string folder) => new MigrationFolder(MigrationSeries.Delivered, folder).Read();

    /// <inheritdoc cref="ReadAll"/>
    /// <remarks>The operator's own, of the same form; their numbers begin at 1 again.</remarks>
    public static IReadOnlyList<Migration> ReadOwn(string folder) => new MigrationFolder(MigrationSeries.Own, folder).Read();

    /// <inheritdoc cref="ReadAll"/>
    /// <remarks>Those of a series.</remarks>
    public static IReadOnlyList<Migration> Read(MigrationSeries series, string folder) => new MigrationFolder(series, folder).Read();
}

/// <param name="AppliedAt">Null: not applied.</param>
/// <param name="Changed">The file differs from what was applied.</param>
public sealed record MigrationState(Migration Migration, DateTime? AppliedAt, bool Changed);

/// <param name="Migrations">In order of versions.</param>
/// <param name="NewerThanProgram">Applied versions that this program does not have: it is older than the engine's schema.</param>
public sealed record MigrationStatus(MigrationSeries Series, IReadOnlyList<MigrationState> Migrations, IReadOnlyList<int> NewerThanProgram)
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
                $"{Series.Subject} at version {Version}; this program needs version {Known}.",
                "Run 'cdc migrate'."
            );
    }

    private int Known => Migrations[^1].Migration.Version;

    /// <summary>A program that does not know these versions must not touch their tables, nor take anything back.</summary>
    internal Finding? Newer() =>
        NewerThanProgram.Count == 0
            ? null
            : new Finding("engine-newer", IsError: true, Series.Newer(Version, Known), Series.NewerRemedy(Known));

    internal Finding? Changed() =>
        Migrations.FirstOrDefault(m => m.Changed) is { Migration: { } changed }
            ? new Finding(
                "migration-changed",
                IsError: true,
                $"Migration {changed.Version:D4}_{changed.Name} was applied, but its file has changed since.",
                $"Put the file back as it was {Series.Made}, and write a new migration for the change."
            )
            : null;
}
