using System.Text.Json;
using Cdc.Odoo.Calls;

namespace Cdc.Odoo.Sequence;

/// <summary>Reads the action's answer strictly: one that is not exactly of its form comes from another action, and says nothing.</summary>
internal static class SequenceAnswer
{
    private static readonly Dictionary<string, SequenceCardState> Cards = new()
    {
        ["known"] = SequenceCardState.Known,
        ["created"] = SequenceCardState.Created,
        ["no-card"] = SequenceCardState.NoCard,
    };

    private static readonly Dictionary<string, SequenceChangeState> Changes = new()
    {
        ["applied"] = SequenceChangeState.Applied,
        ["past"] = SequenceChangeState.Past,
        ["gap"] = SequenceChangeState.Gap,
        ["archived"] = SequenceChangeState.Archived,
        ["refused"] = SequenceChangeState.Refused,
        ["no-card"] = SequenceChangeState.NoCard,
    };

    /// <summary>Null: not of that form.</summary>
    public static IReadOnlyList<SequenceResult>? Read(JsonElement? answer, IReadOnlyList<SequenceCard> sent)
    {
        if (
            answer is not { ValueKind: JsonValueKind.Object } json
            || !json.TryGetProperty("infos", out var infos)
            || infos.ValueKind != JsonValueKind.Array
            || infos.GetArrayLength() != sent.Count
        )
            return null;
        var results = infos.EnumerateArray().Zip(sent, ReadCard).OfType<SequenceResult>().ToList();
        return results.Count == sent.Count ? results : null;
    }

    private static SequenceResult? ReadCard(JsonElement info, SequenceCard sent) =>
        info.ValueKind == JsonValueKind.Object
        && info.TryGetProperty("card", out var card)
        && JsonNumber.ReadWhole(card) is { } id
        && (sent.Card is null || sent.Card == id)
        && info.TryGetProperty("state", out var state)
        && Cards.TryGetValue(state.ToString(), out var cardState)
        && info.TryGetProperty("seq", out var number)
        && JsonNumber.ReadWhole(number) is { } seq
        && info.TryGetProperty("points", out var points)
        && JsonNumber.Read(points) is { } balance
        && info.TryGetProperty("changes", out var changes)
        && ReadChanges(changes, sent.Changes.Count) is { } states
            ? new SequenceResult(
                id,
                cardState,
                seq,
                balance,
                !info.TryGetProperty("active", out var active) || active.ValueKind != JsonValueKind.False,
                states
            )
            : null;

    private static List<SequenceChangeState>? ReadChanges(JsonElement changes, int count)
    {
        if (changes.ValueKind != JsonValueKind.Array || changes.GetArrayLength() != count)
            return null;
        List<SequenceChangeState> states = [];
        foreach (var change in changes.EnumerateArray())
            if (Changes.TryGetValue(change.ToString(), out var state))
                states.Add(state);
        return states.Count == count ? states : null;
    }
}
