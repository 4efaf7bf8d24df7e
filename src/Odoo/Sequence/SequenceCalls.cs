using System.Text.Json.Nodes;
using Cdc.Odoo.Failures;

namespace Cdc.Odoo.Sequence;

/// <summary>
/// The way "sequence": own changes go to one server action, which locks the card, compares its number and applies what follows it. Sending
/// a
/// call twice, late or at the same time as another does what sending it once does.
/// </summary>
/// <param name="action">Its id, as the installation told it: a user who may only run it cannot look for it.</param>
public sealed class SequenceCalls(OdooClient client, long action)
{
    /// <summary>In the context of the call.</summary>
    internal const string Payload = "cdc_cards";

    /// <summary>One transaction for all cards. Answers such as <see cref="SequenceChangeState.Gap"/> leave the other cards alone; an
    /// exception undoes all: where it is <see cref="FailureClass.Refused"/>, half of the cards at a time find the one that it is
    /// about.</summary>
    /// <returns>One for each card, in their order.</returns>
    public async Task<IReadOnlyList<SequenceResult>> ApplyAsync(IReadOnlyList<SequenceCard> cards, CancellationToken ct)
    {
        var payload = new JsonArray([.. cards.Select(c => (JsonNode)c.ToJson())]);
        var answer = await client.RunActionAsync(action, Payload, payload, mayBeRepeated: true, ct);
        return SequenceAnswer.Read(answer, cards)
            ?? throw new OdooException(
                new OdooFailure("odoo-action", FailureClass.Systemic, "answered with another form than our action's.", Remedies.Sequence)
                {
                    MayBeApplied = true,
                },
                new CallFacts("ir.actions.server/run", mayBeRepeated: true)
            );
    }

    /// <summary>Whether this user may run the action, and it works: an empty call, which changes nothing.</summary>
    public Task ProbeAsync(CancellationToken ct) => ApplyAsync([], ct);
}
