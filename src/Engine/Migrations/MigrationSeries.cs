namespace Cdc.Engine.Migrations;

/// <summary>Migrations that count their versions together, and the table that remembers which are applied.</summary>
/// <param name="Table">In schema <c>public</c>.</param>
/// <param name="Subject">As the beginning of a sentence: <c>The engine's schema is</c>.</param>
/// <param name="Made">How its files came to be: <c>delivered</c>.</param>
public sealed record MigrationSeries(string Table, string Subject, string Made)
{
    /// <summary>Those of this program.</summary>
    public static MigrationSeries Delivered { get; } = new("public.cdc_migrations", "The engine's schema is", "delivered");

    /// <summary>The operator's, for entities of their own. Their numbers have nothing to do with ours.</summary>
    public static MigrationSeries Own { get; } = new("public.cdc_own_migrations", "The engine's own tables are", "applied");

    /// <summary>Those of a preset that makes tables of its own, where it is included. Numbers of their own again.</summary>
    public static MigrationSeries OfPreset(string preset) =>
        new($"public.cdc_{preset.Replace('-', '_')}_migrations", $"The engine's tables of {preset} are", "delivered") { Preset = preset };

    /// <summary>Whose tables they make; null: ours, or the operator's.</summary>
    public string? Preset { get; private init; }

    /// <summary>What a person reads before a number: nothing for ours, then <c>own</c>, and a preset's name.</summary>
    public string Label => Preset ?? (IsOwn ? "own" : "");

    public bool IsOwn => Table == Own.Table;

    internal string Newer(int version, int known) =>
        IsOwn
            ? $"{Subject} at version {version}; Entities:Migrations ends at {known}."
            : $"{Subject} at version {version}, newer than this program, which knows {known}.";

    internal string NewerRemedy(int known) =>
        IsOwn
            ? "Name the folder in Entities:Migrations that has all of them, as it was when they were applied."
            : "Run the program that brought it there, or a newer one ('cdc version'); or take its migrations back with that program: "
                + $"cdc migrate {(Preset is null ? "" : $"--preset {Preset} ")}--down {known} (their tables and rows are dropped).";
}
