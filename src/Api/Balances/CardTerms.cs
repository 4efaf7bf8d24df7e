namespace Cdc.Api.Balances;

/// <summary>What, beside its points, says whether a card can be spent. A part that is not declared is null, and forbids nothing.</summary>
/// <param name="IsArchived">Null: this Odoo has no archived cards.</param>
/// <param name="LastDay">Null: it does not expire.</param>
/// <param name="Program">Null: no program is declared.</param>
internal sealed record CardTerms(bool? IsArchived, DateOnly? LastDay, ProgramTerms? Program);

/// <summary>Of the card's program, as the engine has it.</summary>
/// <param name="IsThere">False: the engine has no such program (yet).</param>
/// <param name="FirstDay">In the company's time zone, as is the last one.</param>
/// <param name="StartsAt">The same as a moment, where Odoo keeps moments.</param>
internal sealed record ProgramTerms(
    bool IsThere,
    bool? IsArchived,
    DateOnly? FirstDay,
    DateOnly? LastDay,
    DateTimeOffset? StartsAt,
    DateTimeOffset? EndsAt
);

/// <summary>Whether a card can be spent now. Words of the interface: never renamed.</summary>
internal static class SpendableReason
{
    public const string Archived = "archived";
    public const string Expired = "expired";
    public const string NoProgram = "no-program";

    /// <summary>The engine does not have the card's program, so nothing can be said.</summary>
    public const string ProgramUnknown = "program-unknown";
    public const string ProgramArchived = "program-archived";
    public const string ProgramEnded = "program-ended";
    public const string NotYetValid = "not-yet-valid";
    public const string NoPoints = "no-points";
}

/// <param name="Now">Null: it cannot be said.</param>
/// <param name="Reason">Why not; one of <see cref="SpendableReason"/>.</param>
internal readonly record struct Spendable(bool? Now, string? Reason);

/// <summary>
/// Odoo writes nothing when a card expires or a program ends: it looks at the clock when the card is used, and so does this. Days are those of
/// the company's time zone.
/// </summary>
internal sealed class SpendableJudge(TimeProvider time, TimeZoneInfo zone)
{
    public Spendable Of(CardRow card)
    {
        if (card.Terms is not { } terms)
            return default;
        var now = time.GetUtcNow();
        var today = Today(now);
        var reason =
            terms.IsArchived == true ? SpendableReason.Archived
            : terms.LastDay < today ? SpendableReason.Expired
            : OfProgram(card, terms.Program, now, today) ?? (HasPoints(card) ? null : SpendableReason.NoPoints);
        return new Spendable(reason == SpendableReason.ProgramUnknown ? null : reason is null, reason);
    }

    /// <summary>Points that are of no day are of every day.</summary>
    public bool IsToday(DateOnly? day) => day is null || day == Today(time.GetUtcNow());

    private DateOnly Today(DateTimeOffset now) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, zone).DateTime);

    private static string? OfProgram(CardRow card, ProgramTerms? program, DateTimeOffset now, DateOnly today) =>
        program is null ? null
        : card.ProgramId is null ? SpendableReason.NoProgram
        : !program.IsThere ? SpendableReason.ProgramUnknown
        : program.IsArchived == true ? SpendableReason.ProgramArchived
        : program.LastDay < today || program.EndsAt < now ? SpendableReason.ProgramEnded
        : program.FirstDay > today || program.StartsAt > now ? SpendableReason.NotYetValid
        : null;

    private static bool HasPoints(CardRow card) => !card.IsNegative && card.Points?.Any(c => c is >= '1' and <= '9') == true;
}
