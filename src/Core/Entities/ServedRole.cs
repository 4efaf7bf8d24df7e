using System.Collections.Frozen;

namespace Cdc.Core.Entities;

/// <summary>
/// What an entity is to the Api (<c>"serves"</c>): a card, its history, its program. An entity with the name of a role has that role, and a
/// part is the engine column of its usual name, unless the declaration says otherwise.
/// </summary>
/// <param name="Role">A key of <see cref="Known"/>.</param>
public sealed record ServedRole(string Role)
{
    public const string Card = "card";
    public const string History = "history";
    public const string Move = "move";
    public const string Program = "program";
    public const string Partner = "partner";

    /// <summary>Each role's parts, with the engine column that they usually are.</summary>
    public static FrozenDictionary<string, FrozenDictionary<string, string>> Known { get; } =
        new Dictionary<string, FrozenDictionary<string, string>>
        {
            [Card] = Parts(
                ("program", "program_id"),
                ("partner", "partner_id"),
                ("company", "company_id"),
                ("code", "code"),
                ("points", "points"),
                ("active", "active"),
                ("expires", "expiration_date"),
                ("warning", "warning"),
                ("created", "created_at"),
                ("updated", "updated_at")
            ),
            [History] = Parts(
                ("card", "loyalty_card_id"),
                ("move", "point_move_id"),
                ("amount", "points_amount"),
                ("balance", "points_balance"),
                ("time", "transaction_time"),
                ("origin", "origin"),
                ("product", "membership_product_id"),
                ("statusProduct", "status_membership_product_id"),
                ("created", "created_at")
            ),
            [Move] = Parts(("card", "loyalty_card_id")),
            [Program] = Parts(
                ("name", "name"),
                ("type", "program_type"),
                ("active", "active"),
                ("from", "date_from"),
                ("to", "date_to"),
                ("startsAt", "starts_at"),
                ("endsAt", "ends_at")
            ),
            [Partner] = Parts(("name", "name"), ("active", "active")),
        }.ToFrozenDictionary();

    /// <summary>Parts that are another engine column than usual.</summary>
    public IReadOnlyDictionary<string, string> Named { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>Null: the entity has no such column.</summary>
    internal string? ColumnOf(string part, EntityDeclaration entity)
    {
        var name = Named.GetValueOrDefault(part) ?? Known[Role][part];
        if (entity.Columns.Any(c => c.Name == name))
            return name;
        // A history's card is its parent, whatever the column is called.
        return part == "card" ? entity.Parents.FirstOrDefault(p => p.Entity == Card)?.Column : null;
    }

    private static FrozenDictionary<string, string> Parts(params (string Part, string Column)[] parts) =>
        parts.ToFrozenDictionary(p => p.Part, p => p.Column);
}
