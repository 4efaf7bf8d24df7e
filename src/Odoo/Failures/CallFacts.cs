namespace Cdc.Odoo.Failures;

/// <summary>What is known of one call while it is under way, over all its sendings.</summary>
/// <param name="Name">For messages; no values.</param>
internal sealed class CallFacts(string name, bool mayBeRepeated)
{
    private volatile bool _mayBeApplied;

    public string Name => name;

    public bool MayBeRepeated => mayBeRepeated;

    /// <summary>One sending left here whole or in part, and no answer says that nothing was done.</summary>
    public bool MayBeApplied => _mayBeApplied;

    public void MarkInDoubt() => _mayBeApplied = true;
}
