using System.Text.Json.Nodes;
using Cdc.Odoo.Calls;
using Cdc.Odoo.Failures;

namespace Cdc.Odoo.Sequence;

/// <summary>
/// What is missing, in an order in which a half that is left behind is harmless: the action is last, and comes with its group. Without one,
/// 19 lets everybody with a login run it, portal users too.
/// </summary>
internal sealed class InstallSteps(OdooClient client, SequenceObjects objects)
{
    private readonly string _groups = objects.Version.GroupsField;

    /// <param name="user">Who is to run the action; null: nobody is added to the group.</param>
    public List<SequenceStep> All(OdooRecord? user) =>
        [.. objects.Wanted.SelectMany(Field), .. Parameter(), .. Groups(), .. Actions(), .. Members(user)];

    private IEnumerable<SequenceStep> Field(SequenceField wanted)
    {
        var place = $"{wanted.Name} on {wanted.Model}";
        if (objects.FieldOf(wanted) is not { } field)
            yield return Step(
                $"create the field {place} ({wanted.Type}, not copied{(wanted.IsIndexed ? ", indexed" : "")})",
                async (_, ct) => await client.CreateAsync("ir.model.fields", [wanted.Values(objects.Models[wanted.Model])], ct)
            );
        else if (!SequenceObjects.IsOurs(wanted, field))
            throw Foreign(place, field);
        else
        {
            if (field.Flag("copied"))
                yield return Write($"set the field {place} to not copied", "ir.model.fields", field.Id, new() { ["copied"] = false });
            if (wanted.IsIndexed && !field.Flag("index"))
                yield return Write($"make an index on the field {place}", "ir.model.fields", field.Id, new() { ["index"] = true });
        }
    }

    private IEnumerable<SequenceStep> Parameter()
    {
        var value = new JsonObject { ["key"] = SequenceNames.Parameter, ["value"] = SequenceNames.ParameterValue };
        if (objects.Parameters.Count == 0)
            yield return Step(
                $"create the system parameter {SequenceNames.Parameter}, under which Odoo keeps which cards the engine made",
                async (_, ct) => await client.CreateAsync("ir.config_parameter", [value], ct)
            );
        // The action asks for its value, and an empty one is none to it.
        else if (objects.Parameters[0] is var found && string.IsNullOrEmpty(found.Text("value")))
            yield return Write(
                $"give the system parameter {SequenceNames.Parameter} its value",
                "ir.config_parameter",
                found.Id,
                new() { ["value"] = SequenceNames.ParameterValue }
            );
    }

    private IEnumerable<SequenceStep> Groups()
    {
        if (objects.Group is not { } kept)
        {
            yield return Step(
                $"create the group \"{SequenceNames.Group}\"",
                async (ids, ct) =>
                    ids.Group = (await client.CreateAsync("res.groups", [new JsonObject { ["name"] = SequenceNames.Group }], ct))[0]
            );
            yield break;
        }
        foreach (var extra in objects.Groups.Where(g => g.Id != kept))
            yield return Remove($"remove a second group \"{SequenceNames.Group}\" ({extra.Id})", "res.groups", extra.Id);
    }

    private IEnumerable<SequenceStep> Actions()
    {
        if (objects.Actions.Count == 0)
        {
            yield return Step(
                $"create the server action \"{SequenceNames.Action}\" for that group alone",
                async (ids, ct) => await client.CreateAsync("ir.actions.server", [Action(ids)], ct)
            );
            yield break;
        }
        foreach (var extra in objects.Actions.Skip(1))
            yield return Remove($"remove a second server action \"{SequenceNames.Action}\" ({extra.Id})", "ir.actions.server", extra.Id);
        var kept = objects.Actions[0];
        if (objects.Group is not { } group || !kept.References(_groups).SequenceEqual([group]))
            yield return Step(
                $"let the group \"{SequenceNames.Group}\" alone run the server action",
                async (ids, ct) =>
                    await client.WriteAsync("ir.actions.server", [kept.Id], new() { [_groups] = Only(ids.Group) }, mayBeRepeated: true, ct)
            );
        if (Lines(kept.Text("code")) != Lines(SequenceNames.Code))
            yield return Write(
                "give the server action the code of this version of cdc",
                "ir.actions.server",
                kept.Id,
                new() { ["code"] = SequenceNames.Code }
            );
    }

    private IEnumerable<SequenceStep> Members(OdooRecord? user)
    {
        if (user is { } member && !(objects.Group is { } group && member.References(_groups).Contains(group)))
            yield return Step(
                $"add the user {member.Text("login")} to the group \"{SequenceNames.Group}\"",
                async (ids, ct) =>
                    await client.WriteAsync("res.users", [member.Id], new() { [_groups] = Added(ids.Group) }, mayBeRepeated: true, ct)
            );
    }

    private JsonObject Action(SequenceIds ids) =>
        new()
        {
            ["name"] = SequenceNames.Action,
            ["model_id"] = objects.Models[SequenceNames.CardModel],
            ["state"] = "code",
            ["code"] = SequenceNames.Code,
            [_groups] = Only(ids.Group),
        };

    private SequenceStep Write(string text, string model, long id, JsonObject values) =>
        Step(text, async (_, ct) => await client.WriteAsync(model, [id], values, mayBeRepeated: true, ct));

    private SequenceStep Remove(string text, string model, long id) => Step(text, (_, ct) => client.UnlinkAsync(model, [id], ct));

    private static SequenceStep Step(string text, Func<SequenceIds, CancellationToken, Task> act) => new(text, act);

    /// <summary>Odoo's commands for x2many fields: 6 replaces all, 4 adds one.</summary>
    private static JsonArray Only(long group) => [new JsonArray(6, 0, new JsonArray(group))];

    private static JsonArray Added(long group) => [new JsonArray(4, group)];

    /// <summary>Odoo, or a form of its, may trim the text's end and change its line ends.</summary>
    private static string Lines(string? code) => (code ?? "").ReplaceLineEndings("\n").Trim();

    private static OdooException Foreign(string place, OdooRecord field) =>
        new(
            new OdooFailure(
                "odoo-foreign-field",
                FailureClass.Systemic,
                $"has a field {place} already, which is not ours: {field.Text("ttype")}, {field.Text("state")}.",
                "Nothing was changed. Find out which module or person made this field; the way 'sequence' needs its "
                    + "name. The way 'level' does not."
            ),
            new CallFacts("ir.model.fields/search_read", mayBeRepeated: true)
        );
}
