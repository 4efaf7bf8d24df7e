namespace Cdc.Reconcile.Comparing;

/// <summary>Rows that the engine has changed of its own accord.</summary>
/// <param name="Pending">Rows with own changes that are not in Odoo.</param>
/// <param name="Explained">Rows that are what Odoo last had, and those changes.</param>
/// <param name="Unexplained">Rows that are something else: somebody wrote past the log of own changes, or over what is kept of Odoo.</param>
public readonly record struct OwnNumbers(long Pending, long Explained, long Unexplained)
{
    public static OwnNumbers operator +(OwnNumbers a, OwnNumbers b) =>
        new(a.Pending + b.Pending, a.Explained + b.Explained, a.Unexplained + b.Unexplained);
}
