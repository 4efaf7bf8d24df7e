namespace Cdc.Odoo.Ways;

/// <summary>How own changes are written into Odoo.</summary>
public enum Way
{
    /// <summary>By a server action that adds to the points and knows what it has added.</summary>
    Sequence,

    /// <summary>As rows of the history, whose sum the balance is.</summary>
    History,

    /// <summary>As values, until Odoo has them: of cards that the engine owns alone.</summary>
    Level,
}

/// <summary>Whether a way can be gone on one Odoo, by the user of the calls.</summary>
/// <param name="IsPossible">Null: Odoo does not say; the first write shows it.</param>
/// <param name="Remedy">Empty where there is nothing to be done.</param>
public sealed record WayFinding(Way Way, bool? IsPossible, string Why, string Remedy = "");
