namespace Cdc.Reconcile.Comparing;

/// <summary>The sum of one money column on both sides, of the rows that were compared.</summary>
/// <param name="Program">The row's, or its parent's; null where neither has one.</param>
public sealed record MoneyTotal(string Field, long? Program, long? Company, decimal Odoo, decimal Engine);
