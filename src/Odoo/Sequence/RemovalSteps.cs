namespace Cdc.Odoo.Sequence;

/// <summary>
/// What is ours, and nothing else, in an order in which a half that is left behind is harmless: the action first. Without its group it
/// would
/// be everybody's, and Odoo deletes a group without a question.
/// </summary>
internal sealed class RemovalSteps(OdooClient client, SequenceObjects objects)
{
    public List<SequenceStep> All() => [.. Actions(), .. Fields(), .. Parameter(), .. Groups()];

    /// <summary>Fields of our names that somebody else made, which stay.</summary>
    public IEnumerable<string> Foreign() =>
        from wanted in objects.Wanted
        let field = objects.FieldOf(wanted)
        where field is { } found && !SequenceObjects.IsOurs(wanted, found)
        select $"{wanted.Name} on {wanted.Model} stays: it is not ours.";

    private IEnumerable<SequenceStep> Actions() =>
        objects.Actions.Select(a => Remove($"remove the server action \"{SequenceNames.Action}\" ({a.Id})", "ir.actions.server", [a.Id]));

    /// <summary>In one call: each change of a table waits for all of its readers.</summary>
    private IEnumerable<SequenceStep> Fields()
    {
        var ours = objects
            .Wanted.Select(w => (Wanted: w, Field: objects.FieldOf(w)))
            .Where(f => f.Field is { } found && SequenceObjects.IsOurs(f.Wanted, found))
            .ToList();
        if (ours.Count > 0)
            yield return Remove(
                $"remove the fields {string.Join(", ", ours.Select(f => $"{f.Wanted.Name} on {f.Wanted.Model}"))} with their values",
                "ir.model.fields",
                [.. ours.Select(f => f.Field!.Value.Id)]
            );
    }

    private IEnumerable<SequenceStep> Parameter() =>
        objects.Parameters.Select(p =>
            Remove(
                $"remove the system parameter {SequenceNames.Parameter}, and so which cards the engine made",
                "ir.config_parameter",
                [p.Id]
            )
        );

    private IEnumerable<SequenceStep> Groups() =>
        objects.Groups.Select(g => Remove($"remove the group \"{SequenceNames.Group}\" ({g.Id})", "res.groups", [g.Id]));

    private SequenceStep Remove(string text, string model, IReadOnlyList<long> ids) =>
        new(text, (_, ct) => client.UnlinkAsync(model, ids, ct));
}
