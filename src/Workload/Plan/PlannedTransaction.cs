namespace Cdc.Workload.Plan;

/// <summary>One transaction before it meets a database.</summary>
/// <param name="Card">Which of the session's cards: taken modulo their number at that moment.</param>
/// <param name="OtherCard">A second card, for what needs two.</param>
/// <param name="Points">The amount; never 0, mostly positive.</param>
/// <param name="Seed">For what else the transaction draws.</param>
public sealed record PlannedTransaction(TransactionKind Kind, uint Card, uint OtherCard, double Points, ulong Seed);
