using System.Text.Json.Nodes;
using Cdc.Odoo.Failures;
using Cdc.Odoo.Sequence;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cdc.Tests.Unit.Odoo;

public sealed class SequenceInstallerTests : IAsyncLifetime
{
    private const string User = "cdcbot";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly List<OdooBed> _beds = [];

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var bed in _beds)
            await bed.DisposeAsync();
    }

    [Theory]
    [InlineData("19.0", true)]
    [InlineData("16.0", false)]
    public async Task It_says_what_it_will_create_and_creates_that_as_it_was_recorded(string version, bool hasHistory)
    {
        var (tables, installer, bed) = await StartAsync(version);
        var plan = await installer.PlanInstallAsync(User, Ct);
        Assert.Empty(tables.Changes);
        string[] history = hasHistory ? ["create the field x_cdc_ref on loyalty.history (char, not copied, indexed)"] : [];
        Assert.Equal(
            [
                "create the field x_cdc_seq on loyalty.card (float, not copied)",
                "create the field x_cdc_ref on loyalty.card (char, not copied, indexed)",
                .. history,
                "create the system parameter cdc.cards, under which Odoo keeps which cards the engine made",
                "create the group \"CDC engine\"",
                "create the server action \"CDC: apply changes\" for that group alone",
                "add the user cdcbot to the group \"CDC engine\"",
            ],
            plan.Steps.Select(s => s.Text)
        );
        Assert.Contains("waits for every open transaction", plan.Notes.Single(), StringComparison.Ordinal);

        var action = await installer.InstallAsync(User, Ct);
        Assert.Equal(AdministratorTables.Id(Ours(tables, "ir.actions.server").Single()["id"]), action);
        IsRecorded(bed, version, "ir.model.fields/create", 0, "Create a field: x_cdc_seq on loyalty.card");
        IsRecorded(bed, version, "ir.model.fields/create", 1, "Create a field: x_cdc_ref on loyalty.card");
        if (hasHistory)
            IsRecorded(bed, version, "ir.model.fields/create", 2, "Create a field: x_cdc_ref on loyalty.history");
        IsRecorded(bed, version, "ir.config_parameter/create", 0, "The registry: one parameter");
        IsRecorded(bed, version, "res.groups/create", 0, "The group");
        IsRecorded(bed, version, "ir.actions.server/create", 0, "The action");
    }

    [Theory]
    [InlineData("19.0")]
    [InlineData("18.0")]
    [InlineData("16.0")]
    public async Task Twice_changes_nothing(string version)
    {
        var (tables, installer, _) = await StartAsync(version);
        var action = await installer.InstallAsync(User, Ct);
        var changes = tables.Changes.Count;
        Assert.Empty((await installer.PlanInstallAsync(User, Ct)).Steps);
        Assert.Equal(action, await installer.InstallAsync(User, Ct));
        Assert.Equal(changes, tables.Changes.Count);
        var group = AdministratorTables.Id(Ours(tables, "res.groups").Single()["id"]);
        var groups = version == "19.0" ? "group_ids" : "groups_id";
        Assert.Equal($"[{group}]", Ours(tables, "ir.actions.server").Single()[groups]!.ToJsonString());
        Assert.Equal($"[7,{group}]", tables.Of("res.users").Single()[groups]!.ToJsonString());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public async Task One_that_broke_off_anywhere_is_completed(int at)
    {
        var (tables, installer, _) = await StartAsync("19.0");
        tables.FailsAt = at;
        Assert.Equal(FailureClass.Systemic, (await OdooBed.FailureAsync(() => installer.InstallAsync(User, Ct))).Class);
        Assert.All(Ours(tables, "ir.actions.server"), a => Assert.NotEmpty(a["group_ids"]!.AsArray()));
        tables.FailsAt = null;
        await installer.InstallAsync(User, Ct);
        IsWhole(tables);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task A_create_whose_answer_is_lost_is_not_made_twice(int at)
    {
        var (tables, installer, _) = await StartAsync("19.0");
        tables.LosesAnswerOf = at;
        Assert.Equal(FailureClass.InDoubt, (await OdooBed.FailureAsync(() => installer.InstallAsync(User, Ct))).Class);
        tables.LosesAnswerOf = null;
        await installer.InstallAsync(User, Ct);
        IsWhole(tables);
    }

    [Fact]
    public async Task What_was_made_twice_is_there_once()
    {
        var (tables, installer, _) = await StartAsync("19.0");
        await installer.InstallAsync(User, Ct);
        tables.Add("res.groups", new() { ["name"] = "CDC engine" });
        tables.Add("ir.actions.server", Action(groups: []));
        await installer.InstallAsync(User, Ct);
        IsWhole(tables);
    }

    [Fact]
    public async Task An_action_without_its_group_gets_it_back()
    {
        var (tables, installer, _) = await StartAsync("19.0");
        await installer.InstallAsync(User, Ct);
        var action = Ours(tables, "ir.actions.server").Single();
        action["group_ids"] = new JsonArray();
        tables.Of("res.users").Single()["group_ids"] = new JsonArray();
        Assert.Equal(
            ["let the group \"CDC engine\" alone run the server action", "add the user cdcbot to the group \"CDC engine\""],
            (await installer.PlanInstallAsync(User, Ct)).Steps.Select(s => s.Text)
        );
        await installer.InstallAsync(User, Ct);
        IsWhole(tables);
    }

    [Fact]
    public async Task What_somebody_changed_is_set_right()
    {
        var (tables, installer, _) = await StartAsync("19.0");
        await installer.InstallAsync(User, Ct);
        Ours(tables, "ir.actions.server").Single()["code"] = "1";
        Ours(tables, "ir.config_parameter").Single()["value"] = false;
        foreach (var field in Ours(tables, "ir.model.fields"))
            (field["copied"], field["index"]) = (true, false);
        await installer.InstallAsync(User, Ct);
        IsWhole(tables);
        Assert.All(Ours(tables, "ir.model.fields"), f => Assert.False(f["copied"]!.GetValue<bool>()));
    }

    [Theory]
    [InlineData("char", "manual")]
    [InlineData("float", "base")]
    public async Task A_field_of_its_name_that_is_anothers_is_never_touched(string type, string state)
    {
        var (tables, installer, _) = await StartAsync("19.0");
        var values = new JsonObject
        {
            ["model"] = "loyalty.card",
            ["name"] = "x_cdc_seq",
            ["ttype"] = type,
            ["state"] = state,
            ["copied"] = true,
        };
        tables.Add("ir.model.fields", values);
        Assert.Equal("odoo-foreign-field", (await OdooBed.FailureAsync(() => installer.InstallAsync(User, Ct))).Code);
        var plan = await installer.PlanUninstallAsync(Ct);
        Assert.Empty(plan.Steps);
        Assert.Equal(["x_cdc_seq on loyalty.card stays: it is not ours."], plan.Notes);
        Assert.Empty(tables.Changes);
    }

    [Theory]
    [InlineData("19.0")]
    [InlineData("16.0")]
    public async Task Removing_takes_exactly_what_was_made_the_action_first_and_the_group_last(string version)
    {
        var (tables, installer, _) = await StartAsync(version);
        var before = Everything(tables);
        await installer.InstallAsync(User, Ct);
        tables.Changes.Clear();
        await installer.UninstallAsync(Ct);
        Assert.Equal(before, Everything(tables));
        Assert.Equal(
            ["ir.actions.server/unlink", "ir.model.fields/unlink", "ir.config_parameter/unlink", "res.groups/unlink"],
            tables.Changes
        );
        Assert.Empty((await installer.PlanUninstallAsync(Ct)).Steps);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_removal_that_broke_off_is_completed_and_its_half_lets_nobody_run_the_action(int at)
    {
        var (tables, installer, _) = await StartAsync("19.0");
        var before = Everything(tables);
        await installer.InstallAsync(User, Ct);
        tables.Changes.Clear();
        tables.FailsAt = at;
        await OdooBed.FailureAsync(() => installer.UninstallAsync(Ct));
        Assert.All(Ours(tables, "ir.actions.server"), a => Assert.NotEmpty(a["group_ids"]!.AsArray()));
        tables.FailsAt = null;
        await installer.UninstallAsync(Ct);
        Assert.Equal(before, Everything(tables));
    }

    [Fact]
    public async Task An_unknown_user_is_told_before_anything_is_made()
    {
        var (tables, installer, _) = await StartAsync("19.0");
        Assert.Equal("odoo-user", (await OdooBed.FailureAsync(() => installer.InstallAsync("nobody", Ct))).Code);
        Assert.Empty(tables.Changes);
    }

    [Fact]
    public async Task An_Odoo_without_loyalty_is_told()
    {
        var bed = await OdooBed.StartAsync("19.0", Ct);
        _beds.Add(bed);
        bed.Server.Answers = _ => PlayedAnswer.Json("[]");
        var failure = await OdooBed.FailureAsync(() => new SequenceInstaller(bed.Client, NullLogger.Instance).PlanInstallAsync(null, Ct));
        Assert.Equal("odoo-schema", failure.Code);
    }

    [Fact]
    public async Task Where_points_are_no_column_there_is_nothing_to_install()
    {
        var (_, installer, _) = await StartAsync("20.0");
        Assert.Equal("odoo-version", (await OdooBed.FailureAsync(() => installer.PlanInstallAsync(null, Ct))).Code);
    }

    private async Task<(AdministratorTables, SequenceInstaller, OdooBed)> StartAsync(string version)
    {
        var bed = await OdooBed.StartAsync(version, Ct);
        _beds.Add(bed);
        var tables = new AdministratorTables(hasHistory: version is "18.0" or "19.0");
        var groups = version is "19.0" or "20.0" ? "group_ids" : "groups_id";
        tables.Add("res.users", new() { ["login"] = User, [groups] = new JsonArray(new JsonArray(6, 0, new JsonArray(7))) });
        bed.Server.Answers = tables.Answer;
        return (tables, new SequenceInstaller(bed.Client, NullLogger.Instance), bed);
    }

    private static void IsWhole(AdministratorTables tables)
    {
        Assert.Equal(3, Ours(tables, "ir.model.fields").Count());
        Assert.Equal(SequenceNames.ParameterValue, Ours(tables, "ir.config_parameter").Single()["value"]!.ToString());
        var group = AdministratorTables.Id(Ours(tables, "res.groups").Single()["id"]);
        var action = Ours(tables, "ir.actions.server").Single();
        Assert.Equal((SequenceNames.Code, $"[{group}]"), (action["code"]!.ToString(), action["group_ids"]!.ToJsonString()));
        Assert.Contains(tables.Of("res.users").Single()["group_ids"]!.AsArray(), g => AdministratorTables.Id(g) == group);
    }

    private static IEnumerable<JsonObject> Ours(AdministratorTables tables, string model) =>
        tables
            .Of(model)
            .Where(r =>
                (r["name"] ?? r["key"])!.ToString() is var n
                && (n.StartsWith("CDC", StringComparison.Ordinal) || n.Contains("cdc", StringComparison.Ordinal))
            );

    private static JsonObject Action(long[] groups) =>
        new()
        {
            ["name"] = SequenceNames.Action,
            ["model_id"] = AdministratorTables.CardModel,
            ["state"] = "code",
            ["code"] = SequenceNames.Code,
            ["group_ids"] = new JsonArray(new JsonArray(6, 0, new JsonArray([.. groups.Select(g => (JsonNode)g)]))),
        };

    private static string Everything(AdministratorTables tables) =>
        string.Join(
            '\n',
            ((string[])["ir.model", "ir.model.fields", "ir.config_parameter", "res.groups", "ir.actions.server", "res.users"]).SelectMany(
                m => tables.Of(m).Select(r => r.ToJsonString())
            )
        );

    private static void IsRecorded(OdooBed bed, string version, string name, int nth, string recorded)
    {
        var sent = bed.Server.Calls.Where(c => c.Name == name).ElementAt(nth).Argument("vals_list", 0)![0]!.AsObject();
        var expected =
            version == "19.0"
                ? RecordedAnswer.Json2(recorded).Arguments["vals_list"]!
                : RecordedAnswer.JsonRpc(recorded).ExecuteKw.Placed[0]!;
        var values = expected[0]!.DeepClone().AsObject();
        // Ids of the recorded database.
        if (values.ContainsKey("code"))
            values["code"] = SequenceNames.Code;
        foreach (var (field, groups) in sent.Where(v => v.Key is "group_ids" or "groups_id").ToList())
            values[field] = groups!.DeepClone();
        if (values.ContainsKey("model_id"))
            values["model_id"] = sent["model_id"]!.DeepClone();
        RecordedCallsTests.Same(values, sent);
    }
}
