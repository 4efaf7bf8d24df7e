using Cdc.Odoo.Calls;
using Cdc.Odoo.Failures;
using Microsoft.Extensions.Logging;

namespace Cdc.Odoo.Sequence;

/// <summary>
/// Makes and removes what the way "sequence" needs in Odoo, over its API, with an administrator's key. What is there is read first, so that
/// running it twice changes nothing, and one that broke off is completed, or removed.
/// </summary>
public sealed class SequenceInstaller(OdooClient client, ILogger log)
{
    private const string TableChange =
        "With each field Odoo changes the table itself: that waits for every open transaction that has read the table, and all others "
        + "wait behind it. Do it when nobody works.";

    private const string ColumnLists =
        "A publication with a column list that names one of these fields loses the whole table when the field is removed, without a word.";

    private const string Registry =
        "Without the parameter nothing keeps a late call from creating a card that was deleted: let no call be under way.";

    /// <param name="userLogin">Who will make the calls: is added to the group. Null: nobody.</param>
    public async Task<SequencePlan> PlanInstallAsync(string? userLogin, CancellationToken ct)
    {
        RequireVersion();
        var objects = await SequenceObjects.ReadAsync(client, ct);
        var user = userLogin is null ? (OdooRecord?)null : await UserAsync(userLogin, ct);
        var steps = new InstallSteps(client, objects).All(user);
        var altersTables = steps.Any(s => s.Text.Contains(" field ", StringComparison.Ordinal));
        return new SequencePlan(steps, altersTables ? [TableChange] : [], objects.Group ?? 0);
    }

    public async Task<SequencePlan> PlanUninstallAsync(CancellationToken ct)
    {
        var removal = new RemovalSteps(client, await SequenceObjects.ReadAsync(client, ct));
        var steps = removal.All();
        return new SequencePlan(
            steps,
            [.. steps.Count > 0 ? [TableChange, ColumnLists, Registry] : Array.Empty<string>(), .. removal.Foreign()]
        );
    }

    /// <summary>Does what <see cref="PlanInstallAsync"/> has found missing by now, and looks at it again.</summary>
    /// <returns>The action's id: <see cref="SequenceCalls"/> needs it, and the user who runs it cannot look for it.</returns>
    public async Task<long> InstallAsync(string? userLogin, CancellationToken ct)
    {
        await DoAsync(await PlanInstallAsync(userLogin, ct), ct);
        if ((await PlanInstallAsync(userLogin, ct)).Steps is { Count: > 0 } left)
            throw HalfMade(left);
        return (await SequenceObjects.ReadAsync(client, ct)).Actions[0].Id;
    }

    public async Task UninstallAsync(CancellationToken ct)
    {
        await DoAsync(await PlanUninstallAsync(ct), ct);
        if ((await PlanUninstallAsync(ct)).Steps is { Count: > 0 } left)
            throw HalfMade(left);
    }

    private async Task DoAsync(SequencePlan plan, CancellationToken ct)
    {
        var ids = new SequenceIds { Group = plan.Group };
        foreach (var step in plan.Steps)
        {
            await step.DoAsync(ids, ct);
            OdooLog.Step(log, step.Text);
        }
    }

    private async Task<OdooRecord> UserAsync(string login, CancellationToken ct)
    {
        var users = await client.SearchReadAsync(
            "res.users",
            [SequenceObjects.Is("login", login)],
            ["login", client.Version.GroupsField],
            ct: ct
        );
        return users.Count == 1
            ? users[0]
            : throw Failed(
                "odoo-user",
                $"has no user with the login {login}, or it is archived.",
                "Create the user in Odoo (Settings, Users): it needs no rights of its own, the installation adds it to its group."
            );
    }

    private void RequireVersion()
    {
        if (!client.Version.HasPointsColumn)
            throw Failed(
                "odoo-version",
                $"is {client.Version}, where a card's points are no column: there is nothing that the way 'sequence' could add to.",
                "Nothing is to be installed: from Odoo 20 on the way 'history' writes movements, and needs no help in Odoo."
            );
    }

    private static OdooException HalfMade(IReadOnlyList<SequenceStep> left) =>
        Failed(
            "odoo-half-made",
            $"did not keep what was done. Still to do: {string.Join("; ", left.Select(s => s.Text))}.",
            "Somebody, or an add-on, changes it at the same time. Run it again; what is left is harmless meanwhile."
        );

    private static OdooException Failed(string code, string message, string remedy) =>
        new(new OdooFailure(code, FailureClass.Systemic, message, remedy), new CallFacts("sequence", mayBeRepeated: true));
}
