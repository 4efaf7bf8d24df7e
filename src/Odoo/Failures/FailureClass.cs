namespace Cdc.Odoo.Failures;

/// <summary>What a failed call means for those that follow.</summary>
public enum FailureClass
{
    /// <summary>It passes by itself: the same call again.</summary>
    Transient,

    /// <summary>Odoo's rules or its data forbid this call, and would forbid it again: what it was about stops, the others go on.</summary>
    Refused,

    /// <summary>No call can succeed until somebody does what the remedy says: everything stops.</summary>
    Systemic,

    /// <summary>It was sent, no answer says what became of it, and it is not one that may be repeated: look in Odoo first.</summary>
    InDoubt,
}
