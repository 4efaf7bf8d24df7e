namespace Cdc.Odoo.Calls;

/// <summary>When the key of these calls ends.</summary>
/// <param name="At">Null with <see cref="IsKnown"/>: never.</param>
/// <param name="Why">Where it is not known; <see cref="At"/> is then the earliest end of the keys that it may be, if there is one.</param>
public sealed record KeyExpiry(bool IsKnown, DateTimeOffset? At, string Why)
{
    internal static KeyExpiry Never { get; } = new(true, null, "");

    internal static KeyExpiry On(DateTimeOffset end) => new(true, end, "");

    internal static KeyExpiry Unknown(string why, DateTimeOffset? earliest = null) => new(false, earliest, why);

    /// <summary>Of one user's keys. Odoo doesn't say which of them is used.</summary>
    internal static KeyExpiry Of(IReadOnlyList<DateTimeOffset?> ends) =>
        ends.Count switch
        {
            0 => Unknown("Odoo lists no key of this user: it signs in with a password, or its keys can't be read"),
            _ when ends.All(e => e is null) => Never,
            1 => On(ends[0]!.Value),
            _ => Unknown($"this user has {ends.Count} keys, and Odoo does not say which of them is used", ends.Min()),
        };
}
