namespace Cdc.Core.Entities;

/// <summary>
/// What of an entity flows back to Odoo (<c>"reverse"</c>). Only such an entity has owners: without it the engine's rows are Odoo's alone, and
/// nothing watches who writes them.
/// </summary>
/// <param name="Model">Odoo's model, such as <c>loyalty.card</c>.</param>
/// <param name="Way">One of <see cref="Ways"/>; null: what Odoo has.</param>
/// <param name="CardColumn">Engine column, bigint, that names the card whose owner a row's is; null: the rows are the cards.</param>
/// <param name="Fields">Of Odoo's model, over the engine's columns.</param>
/// <param name="Owned">Engine columns of which the fields are made, in the order of the declaration: the owner's value counts.</param>
/// <param name="Additive">Of these, numbers to which both sides add; what of them is merged says <see cref="Merged"/>.</param>
public sealed record ReverseDeclaration(
    string Model,
    string? Way,
    string? CardColumn,
    IReadOnlyList<ReverseField> Fields,
    IReadOnlyList<string> Owned,
    IReadOnlyList<string> Additive
)
{
    /// <summary>How own changes are written into Odoo.</summary>
    public static IReadOnlyList<string> Ways { get; } = ["sequence", "history", "level"];

    /// <summary>Columns that <c>cdc migrate</c> gives to every table with owners.</summary>
    public const string BaseColumn = "base";

    /// <summary>The last own change that Odoo's row has, at the row's position. Declared by <see cref="Number"/>.</summary>
    public const string OdooNumberColumn = "odoo_number";

    /// <summary>Declared by <see cref="Ref"/>.</summary>
    public const string OdooRefColumn = "odoo_ref";

    /// <summary>Columns that it gives to cards.</summary>
    public static IReadOnlyList<string> CardColumns { get; } = ["owner", "own_number", OdooNumberColumn];

    public bool IsCard => CardColumn is null;

    /// <summary>
    /// Of cards: source column with the number of the last own change that the row has (<c>x_cdc_seq</c>), which Apply keeps in
    /// <see cref="OdooNumberColumn"/>; null: Odoo has none.
    /// </summary>
    public string? Number { get; init; }

    /// <summary>
    /// Source column with the name that a row was created under (<c>x_cdc_ref</c>): the uuid of its create in the log of own changes; null:
    /// there is none, and what is born in the engine is not known when it comes back.
    /// </summary>
    public string? Ref { get; init; }

    /// <summary>
    /// Never overwritten, always merged. Only where the row itself says which own changes are in what Odoo has: else an own change would be
    /// counted once more when it comes back, and both sides' values are owned as any other is.
    /// </summary>
    public IReadOnlyList<string> Merged => Number is null ? [] : Additive;
}

/// <summary>A field of Odoo's model.</summary>
/// <param name="Type">PostgreSQL type of what Odoo is given, such as <c>double precision</c>.</param>
/// <param name="Value">SQL expression over the engine's columns.</param>
public sealed record ReverseField(string Name, string Type, string Value);
