namespace Cdc.Cutover.Shadow;

/// <summary>What of a card both sides answer. Texts are in the form of the engine's columns.</summary>
public sealed record ShadowCard(string Code, string? Points, long? Program, long? Partner, long? Company, bool? Active, DateOnly? LastDay);

/// <param name="Result">One of <see cref="ShadowResult"/>.</param>
/// <param name="Field">What differs; null: nothing does, or the whole row.</param>
public sealed record ShadowVerdict(string Result, string? Field = null)
{
    /// <summary>
    /// Odoo's row was read, then the engine's, which had reached the position of that reading, then Odoo's again: where both of Odoo's are the
    /// same, nothing explains another value of the engine.
    /// </summary>
    /// <param name="before">Null: Odoo had no such card.</param>
    /// <param name="written">Odoo wrote the row in between, perhaps to what it was: the engine may have seen what it was meanwhile.</param>
    public static ShadowVerdict Of(ShadowCard? before, ShadowCard? engine, ShadowCard? after, bool written) =>
        engine == after || engine == before ? new(ShadowResult.Equal)
        : written || before != after ? new(ShadowResult.Moving)
        : engine is null ? new(ShadowResult.Missing)
        : before is null ? new(ShadowResult.Extra)
        : new(ShadowResult.Differs, Differing(before, engine));

    private static string Differing(ShadowCard odoo, ShadowCard engine) =>
        odoo.Points != engine.Points ? "points"
        : odoo.Code != engine.Code ? "code"
        : odoo.Company != engine.Company ? "company"
        : odoo.Program != engine.Program ? "program"
        : odoo.Partner != engine.Partner ? "partner"
        : odoo.Active != engine.Active ? "active"
        : "expires";
}

/// <summary>Words of results: never renamed.</summary>
public static class ShadowResult
{
    public const string Equal = "equal";

    /// <summary>Odoo changed it meanwhile: nothing can be said.</summary>
    public const string Moving = "moving";

    /// <summary>A value differs.</summary>
    public const string Differs = "differs";

    /// <summary>The engine does not have it.</summary>
    public const string Missing = "missing";

    /// <summary>Odoo does not have it.</summary>
    public const string Extra = "extra";

    /// <summary>One side did not answer, or not for that position.</summary>
    public const string NotCompared = "not-compared";

    public static IReadOnlyList<string> Different { get; } = [Differs, Missing, Extra];
}
