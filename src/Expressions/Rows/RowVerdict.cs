namespace Cdc.Expressions.Rows;

/// <summary>What the rules say about one row. Each bit is a rule of <see cref="RowTransform.Rules"/>.</summary>
/// <param name="Broken">Rules that send the row to quarantine.</param>
/// <param name="Unknown">Rules that need a column that is not known beside one that is: the row must be read again.</param>
/// <param name="Warned">Broken rules that only warn: the row is applied.</param>
public readonly record struct RowVerdict(ulong Broken, ulong Unknown, ulong Warned)
{
    /// <summary>The row may be applied, as far as it is known.</summary>
    public bool IsOk => (Broken | Unknown) == 0;

    /// <summary>The row goes to quarantine. Whatever is unknown: that cannot make it whole.</summary>
    public bool IsBroken => Broken != 0;
}
