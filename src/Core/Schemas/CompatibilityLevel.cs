namespace Cdc.Core.Schemas;

/// <summary>Which of a subject's earlier schemas a new one must get along with. The words are Confluent's.</summary>
public enum CompatibilityLevel
{
    None,

    /// <summary>What the last one wrote, the new one reads.</summary>
    Backward,
    BackwardTransitive,

    /// <summary>What the new one writes, the last one reads.</summary>
    Forward,
    ForwardTransitive,
    Full,
    FullTransitive,
}

/// <summary>The levels as the registry's protocol writes them, such as <c>BACKWARD_TRANSITIVE</c>.</summary>
public static class CompatibilityWords
{
    private static readonly string[] Words =
    [
        "NONE",
        "BACKWARD",
        "BACKWARD_TRANSITIVE",
        "FORWARD",
        "FORWARD_TRANSITIVE",
        "FULL",
        "FULL_TRANSITIVE",
    ];

    public static string Of(CompatibilityLevel level) => Words[(int)level];

    public static CompatibilityLevel? Parse(string? word) =>
        Array.FindIndex(Words, w => w.Equals(word, StringComparison.OrdinalIgnoreCase)) is var index and >= 0
            ? (CompatibilityLevel)index
            : null;
}
