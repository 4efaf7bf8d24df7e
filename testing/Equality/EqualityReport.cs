namespace Cdc.Testing.Equality;

/// <summary>One row that is not as it should be.</summary>
/// <param name="What">In words: missing, extra, a column's name, …</param>
/// <param name="Source">The value that the declaration computes from the source; null for NULL or nothing.</param>
/// <param name="Engine">The value in the engine.</param>
public sealed record Difference(string Entity, long Key, string What, string? Source, string? Engine)
{
    private const int ShownCharacters = 200;

    public override string ToString() => $"{Entity} {Key}: {What} (source {Shown(Source)}, engine {Shown(Engine)})";

    private static string Shown(string? value) =>
        value is null ? "NULL"
        : value.Length <= ShownCharacters ? value
        : $"{value[..ShownCharacters]}… {value.Length} characters";
}

/// <param name="Rows">Keys on either side.</param>
/// <param name="Quarantined">Source rows that break a rule, and are in quarantine as they should be.</param>
/// <param name="Differing">Keys that differ.</param>
public sealed record EntityEquality(string Entity, long Rows, long Quarantined, long Differing);

/// <param name="Examples">The first differences of each entity.</param>
public sealed record EqualityReport(IReadOnlyList<EntityEquality> Entities, IReadOnlyList<Difference> Examples)
{
    public bool AreEqual => Entities.All(e => e.Differing == 0);

    public override string ToString() =>
        string.Join(
            Environment.NewLine,
            Entities
                .Select(e => $"{e.Entity}: {e.Rows} rows, {e.Differing} differ, {e.Quarantined} in quarantine")
                .Concat(Examples.Select(d => "  " + d))
        );
}
