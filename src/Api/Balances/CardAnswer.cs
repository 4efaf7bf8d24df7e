using Cdc.Api.Engine;
using Cdc.Api.Replicas;

namespace Cdc.Api.Balances;

/// <summary>What the engine said of one code, id or partner.</summary>
/// <param name="Cards">In order of ids.</param>
/// <param name="QuarantineReason">There is no card, but one in quarantine with that id.</param>
internal sealed record CardAnswer(EngineMoment Moment, IReadOnlyList<CardRow> Cards, string? QuarantineReason);

/// <summary>The answers of one statement, all as of one moment.</summary>
/// <param name="Asked">What was asked about, beside the cards that were found.</param>
/// <param name="All">In the order of what was asked for.</param>
/// <param name="IsList">Of any number of cards, instead of one for each answer.</param>
internal sealed record CardAnswers(IReadOnlyList<AnswerSubject> Asked, IReadOnlyList<CardAnswer> All, bool IsList) : IRoutedAnswer
{
    public IEnumerable<AnswerSubject> Subjects => Asked.Concat(All.SelectMany(a => a.Cards).Select(c => AnswerSubject.Card(c.Id)));

    public EngineMoment? Moment => All[0].Moment;

    /// <summary>What a replica does not have, or not up to date, only the engine itself can say.</summary>
    public bool IsComplete => IsList || All.All(a => a.Cards is [{ IsCurrent: true }]);
}
