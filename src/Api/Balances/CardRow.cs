using Cdc.Core.Changes;
using Cdc.Core.Progress;

namespace Cdc.Api.Balances;

/// <summary>One card as the engine had it in one snapshot.</summary>
/// <param name="ProgramId">Null: before 20 Odoo requires none.</param>
/// <param name="Points">Decimal text with the places of the engine's column; null: none are declared.</param>
/// <param name="Position">Of the row's last change; null for a card born in the engine.</param>
/// <param name="CommitAt">Commit time of that change, by the source's clock.</param>
/// <param name="Status">One of <see cref="CardStatus"/>.</param>
/// <param name="Reason">Why it is not current: the quarantine's reason, where that is it.</param>
/// <param name="Through">How far the engine was in that snapshot.</param>
internal sealed record CardRow(
    long Id,
    int? OdooId,
    long? ProgramId,
    long? PartnerId,
    long? CompanyId,
    string Code,
    string? Points,
    DateTimeOffset? CreatedAt,
    DateTimeOffset? UpdatedAt,
    long SyncVersion,
    ChangePosition? Position,
    DateTimeOffset? CommitAt,
    string Status,
    string? Reason,
    AppliedThrough Through
)
{
    public bool IsCurrent => Status == CardStatus.Current;

    /// <summary>By what it is looked up: its code, or a form of it that several cards may share.</summary>
    public string Lookup
    {
        get => field ?? Code;
        init;
    }

    /// <summary>Null: nothing of it is declared.</summary>
    public CardTerms? Terms { get; init; }

    /// <summary>Why the row is worth a look, although it was applied: the name of a rule that only warns.</summary>
    public string? Warning { get; init; }

    /// <summary>The day of which the points are, where each day may have others; null: they are a column.</summary>
    public DateOnly? PointsOn { get; init; }

    /// <summary>Only where it was asked for, and the engine has it.</summary>
    public CardProgram? Program { get; init; }

    /// <inheritdoc cref="Program"/>
    public CardPartner? Partner { get; init; }

    public bool IsNegative => Points is ['-', ..];

    /// <summary>
    /// Weak, because freshness is in the body too and changes without the card. The clock and its program change whether it can be spent.
    /// </summary>
    public string ETag(Spendable spendable) =>
        $"W/\"{Position?.ToString() ?? $"e{SyncVersion}"}:{Status}{(spendable.Reason is { } reason ? ":" + reason : "")}{(PointsOn is null ? "" : $":{Points}")}\"";
}

/// <param name="Name">In the language that is chosen.</param>
internal sealed record CardProgram(long ProgramId, string? Name, string? Type);

/// <summary>Who holds a card.</summary>
internal sealed record CardPartner(long PartnerId, string? Name, bool? Active);

/// <summary>How much a card's row is worth. Words of the interface: never renamed.</summary>
internal static class CardStatus
{
    /// <summary>What Odoo had at <c>asOf</c>.</summary>
    public const string Current = "current";

    /// <summary>A newer version could not be applied.</summary>
    public const string Quarantined = "quarantined";

    /// <summary>A column is not known; the row is being read again.</summary>
    public const string Incomplete = "incomplete";

    /// <summary>Changes may have passed it by (a gap, a rewritten table), and its range has not been read again yet.</summary>
    public const string Loading = "loading";

    /// <summary>The table is stopped: its changes are not applied.</summary>
    public const string Stopped = "stopped";

    /// <summary>An operator discarded a newer version.</summary>
    public const string Discarded = "discarded";
}
