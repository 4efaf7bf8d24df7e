using Cdc.Odoo.Failures;
using Cdc.Odoo.Sequence;

namespace Cdc.Odoo.Ways;

/// <summary>Which ways are possible on this Odoo, and why. Reads, and makes one call that changes nothing.</summary>
public sealed class WaysCheck(OdooClient client)
{
    private const string CardRights =
        "Give the user of Odoo:Key the right to read, change and create loyalty cards: the group Sales / Administrator "
        + "has it, and that of the point of sale's administrators.";

    private readonly ModelRights _rights = new(client);

    /// <param name="action">Of the way "sequence", as its installation told it; null: it was not installed from here.</param>
    /// <exception cref="OdooException">Odoo cannot be asked: away, wrong key, wrong address.</exception>
    public async Task<IReadOnlyList<WayFinding>> FindAsync(long? action, CancellationToken ct) =>
        client.Version.HasPointsColumn
            ? [await SequenceAsync(action, ct), NoHistory(), await LevelAsync(ct)]
            : [No(Way.Sequence), await HistoryAsync(ct), No(Way.Level)];

    private async Task<WayFinding> SequenceAsync(long? action, CancellationToken ct)
    {
        if (action is not { } known)
            return new(Way.Sequence, false, "It is not installed in Odoo, as far as is known here.", Remedies.Sequence);
        try
        {
            await new SequenceCalls(client, known).ProbeAsync(ct);
            return new(Way.Sequence, true, $"The server action {known} answers, and this user may run it.");
        }
        catch (OdooException e) when (IsOfAction(e))
        {
            return new(Way.Sequence, false, e.Message, e.Code == "odoo-access" ? e.Remedy : Remedies.Sequence);
        }
    }

    private async Task<WayFinding> LevelAsync(CancellationToken ct) =>
        await _rights.MissingAsync(SequenceNames.CardModel, ["read", "write", "create"], ct) switch
        {
            null => new(Way.Level, null, "Odoo does not say which rights on cards this user has."),
            [] => new(Way.Level, true, "This user may read, change and create cards. Only for cards that the engine owns alone."),
            var missing => new(Way.Level, false, $"This user may not {string.Join(", not ", missing)} cards.", CardRights),
        };

    private async Task<WayFinding> HistoryAsync(CancellationToken ct) =>
        await _rights.MissingAsync(SequenceNames.HistoryModel, ["create"], ct) switch
        {
            null => new(Way.History, null, "Odoo does not say which rights on histories this user has."),
            [] => new(Way.History, true, "The balance is the sum of the history, and this user may add to it."),
            _ => new(Way.History, false, "This user may not create rows of the history.", "Give the user of Odoo:Key that right."),
        };

    private WayFinding NoHistory() =>
        new(Way.History, false, $"In Odoo {client.Version} points are a column of the card; rows of its history do not change them.");

    private WayFinding No(Way way) =>
        new(way, false, $"In Odoo {client.Version} a card's points are no column: they are the sum of its history.");

    private static bool IsOfAction(OdooException e) =>
        e.Class == FailureClass.Refused || e.Code is "odoo-action" or "odoo-access" or "odoo-fields" or "odoo-schema" or "odoo-registry";
}
