using System.Globalization;
using Cdc.Tests.Support.Odoo;
using Cdc.Tests.Support.Odoo.Python;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Odoo.Contract;

/// <summary>
/// An Odoo with all that the way back needs: fields, action, group, registry, a program and a contact, made over the API as an
/// administrator. What was made is removed again, but for cards, which nobody can delete.
/// </summary>
internal sealed class OdooWorld : IAsyncDisposable
{
    public const string Registry = "cdc.cards";

    /// <summary>Odoo's own way to delete a card, for one who may write server actions.</summary>
    public const string DeletingBody = "env['loyalty.card'].sudo().browse(env.context['cdc_gone']).unlink()";

    private readonly HttpClient _http;
    private readonly List<Func<Task>> _undo = [];
    private int _made;

    private OdooWorld(OdooTarget target, HttpClient http, OdooClient admin) => (Target, _http, Admin) = (target, http, admin);

    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static string Body => File.ReadAllText(SourceTree.PathOf("src/Odoo/Sequence/server-action.py"));

    public OdooTarget Target { get; }

    /// <summary>The administrator, who is in the group too.</summary>
    public OdooClient Admin { get; }

    public int Major { get; private set; }

    public long Action { get; private set; }
    public long Group { get; private set; }
    public long Program { get; private set; }
    public long Partner { get; private set; }
    public long Parameter { get; private set; }
    public long CardModel { get; private set; }

    /// <summary>By model and name.</summary>
    public Dictionary<(string Model, string Field), long> Fields { get; } = [];

    public bool HasHistory => Major >= 18;

    public string GroupsField => Major >= 19 ? "group_ids" : "groups_id";

    /// <summary>Differs from run to run: a real Odoo keeps what earlier ones wrote.</summary>
    public string Run { get; } = Random.Shared.Next(1_000_000, 10_000_000).ToString(CultureInfo.InvariantCulture);

    /// <param name="isInstalled">False: there are neither fields nor action.</param>
    public static async Task<OdooWorld> OpenAsync(string name, TestServers servers, bool isInstalled = true)
    {
        var world = await OpenAsync(await OdooTarget.OpenAsync(name, servers, Ct), OdooTarget.IsJsonRpc(name));
        if (isInstalled)
            await world.InstallAsync();
        return world;
    }

    /// <summary>The same over a stand-in that the test has started; it is the test's to end.</summary>
    public static async Task<OdooWorld> OpenOverAsync(OdooStandIn odoo)
    {
        var world = await OpenAsync(
            new OdooTarget(odoo.Address, odoo.Database.Name, odoo.Login, odoo.Key, new NotOurs()),
            isJsonRpc: false
        );
        await world.InstallAsync();
        return world;
    }

    private static async Task<OdooWorld> OpenAsync(OdooTarget target, bool isJsonRpc)
    {
        var http = new HttpClient { BaseAddress = target.Url, Timeout = TimeSpan.FromSeconds(60) };
        var guest = new OdooClient(http, target.Database, 0, target.Key, IsJsonRpc: true);
        var version = (PyDict)(await guest.RpcAsync("common", "version", Ct)).Result!;
        var uid = (long)
            (await guest.RpcAsync("common", "authenticate", Ct, target.Database, target.Login, target.Key, new PyDict())).Result!;
        var major = (int)(long)((List<object?>)version["server_version_info"]!)[0]!;
        var world = new OdooWorld(target, http, guest with { Uid = uid, IsJsonRpc = isJsonRpc || major < 19 }) { Major = major };
        await world.PrepareAsync();
        return world;
    }

    /// <summary>Somebody with a password and these groups, by JSON-RPC: over the API nobody makes keys of others.</summary>
    public async Task<OdooClient> UserAsync(params long[] groups)
    {
        var name = Name("user");
        var secret = Guid.NewGuid().ToString("N");
        var id = await CreateAsync(
            "res.users",
            new PyDict
            {
                ["name"] = name,
                ["login"] = name,
                ["password"] = secret,
                [GroupsField] = Replace(groups),
            },
            new PyDict { ["no_reset_password"] = true }
        );
        _undo.Add(() => WriteAsync("res.users", id, new PyDict { ["active"] = false }));
        return Admin with { Uid = id, Secret = secret, IsJsonRpc = true };
    }

    /// <returns>Its id; a card without a number in its field.</returns>
    public Task<long> CardAsync(double points = 0, string? code = null) =>
        CreateAsync(
            "loyalty.card",
            new PyDict
            {
                ["program_id"] = Program,
                ["points"] = points,
                ["code"] = code ?? Name("C"),
            },
            Quiet
        );

    /// <summary>Puts a card into a state, as an administrator may.</summary>
    public Task SetAsync(long card, double points, double seq) =>
        WriteAsync("loyalty.card", card, new PyDict { ["points"] = points, ["x_cdc_seq"] = seq });

    public async Task<(double Points, double Seq)> StateAsync(long card)
    {
        var row = (PyDict)Assert.Single(await ReadAsync("loyalty.card", [card], "points", "x_cdc_seq"))!;
        return (
            Convert.ToDouble(row["points"], CultureInfo.InvariantCulture),
            Convert.ToDouble(row["x_cdc_seq"], CultureInfo.InvariantCulture)
        );
    }

    /// <summary>Runs the action over these entries.</summary>
    public Task<OdooReply> ApplyAsync(params PyDict[] entries) => ApplyAsync(Admin, entries);

    public Task<OdooReply> ApplyAsync(OdooClient client, params PyDict[] entries) =>
        client.CallAsync("ir.actions.server", "run", [Action], Ct, new PyDict { ["cdc_cards"] = new List<object?>(entries) });

    /// <summary>The same until Odoo's own tries were enough.</summary>
    public async Task<PyDict> InfoAsync(PyDict entry)
    {
        while (true)
        {
            var reply = await ApplyAsync(entry);
            if (!reply.IsToBeRepeated)
                return Info(reply);
        }
    }

    public static PyDict Info(OdooReply reply) => (PyDict)Assert.Single((List<object?>)((PyDict)reply.Result!)["infos"]!)!;

    public static string Changes(PyDict info) => string.Join(',', (List<object?>)info["changes"]!);

    public static PyDict Entry(long card, params PyDict[] changes) => new() { ["card"] = card, ["changes"] = new List<object?>(changes) };

    public static PyDict Change(long after, long seq, object? delta, string? text = null)
    {
        var change = new PyDict
        {
            ["after"] = after,
            ["seq"] = seq,
            ["delta"] = delta,
        };
        if (text is not null)
            change["text"] = text;
        return change;
    }

    public PyDict Newborn(string reference, string code, params PyDict[] changes) =>
        new()
        {
            ["ref"] = reference,
            ["create"] = new PyDict
            {
                ["program_id"] = Program,
                ["partner_id"] = Partner,
                ["code"] = code,
            },
            ["changes"] = new List<object?>(changes),
        };

    public async Task<long> CreateAsync(string model, PyDict values, PyDict? context = null) =>
        (long)
            (
                (List<object?>)
                    (await Admin.CallAsync(model, "create", null, Ct, context, ("vals_list", new List<object?> { values }))).Result!
            )[0]!;

    public async Task WriteAsync(string model, long id, PyDict values) =>
        Assert.Equal(true, (await Admin.CallAsync(model, "write", [id], Ct, Quiet, ("vals", values))).Result);

    public async Task<List<object?>> ReadAsync(string model, IEnumerable<long> ids, params string[] fields) =>
        (List<object?>)(await Admin.CallAsync(model, "read", ids, Ct, null, ("fields", List(fields)))).Result!;

    public async Task<List<long>> SearchAsync(string model, params object?[][] leaves) =>
        [
            .. (
                (List<object?>)
                    (
                        await Admin.CallAsync(
                            model,
                            "search",
                            null,
                            Ct,
                            new PyDict { ["active_test"] = false },
                            ("domain", leaves.Select(l => (object?)List(l)).ToList())
                        )
                    ).Result!
            ).Cast<long>(),
        ];

    public async Task UnlinkAsync(string model, params long[] ids) =>
        Assert.Equal(true, (await Admin.CallAsync(model, "unlink", ids, Ct)).Result);

    /// <summary>As a superuser deletes it; over the API nobody may.</summary>
    public async Task DeleteCardAsync(long card)
    {
        var action = await CreateAsync(
            "ir.actions.server",
            new PyDict
            {
                ["name"] = "delete",
                ["model_id"] = CardModel,
                ["state"] = "code",
                ["code"] = DeletingBody,
                [GroupsField] = Replace(Group),
            }
        );
        var context = new PyDict { ["cdc_gone"] = new List<object?> { card } };
        Assert.Equal(false, (await Admin.CallAsync("ir.actions.server", "run", [action], Ct, context)).Result);
        await UnlinkAsync("ir.actions.server", action);
    }

    public string Name(string prefix) => string.Create(CultureInfo.InvariantCulture, $"{prefix}-{Run}-{Interlocked.Increment(ref _made)}");

    public async ValueTask DisposeAsync()
    {
        // Odoo of the tests is dropped as a whole.
        if (Target.IsReal)
            foreach (var undo in Enumerable.Reverse(_undo))
                await undo();
        _http.Dispose();
        if (Target.Server is not null)
            await Target.Server.DisposeAsync();
    }

    public static List<object?> Replace(params long[] ids) => [new List<object?> { 6L, 0L, ids.Cast<object?>().ToList() }];

    public static PyDict Quiet =>
        new()
        {
            ["tracking_disable"] = true,
            ["loyalty_no_mail"] = true,
            ["action_no_send_mail"] = true,
        };

    private async Task PrepareAsync()
    {
        CardModel = Assert.Single(await SearchAsync("ir.model", ["model", "=", "loyalty.card"]));
        Program = await CreateAsync("loyalty.program", new PyDict { ["name"] = Name("Program"), ["program_type"] = "loyalty" });
        Partner = await CreateAsync("res.partner", new PyDict { ["name"] = "Bob Sale" });
    }

    private async Task InstallAsync()
    {
        await FieldAsync("loyalty.card", CardModel, "x_cdc_seq", "float");
        await FieldAsync("loyalty.card", CardModel, "x_cdc_ref", "char");
        if (HasHistory)
            await FieldAsync(
                "loyalty.history",
                Assert.Single(await SearchAsync("ir.model", ["model", "=", "loyalty.history"])),
                "x_cdc_ref",
                "char"
            );
        Group = await CreateAsync("res.groups", new PyDict { ["name"] = Name("CDC engine") });
        _undo.Add(() => RemoveAsync("res.groups", ["id", "=", Group]));
        await WriteAsync(
            "res.users",
            Admin.Uid,
            new PyDict
            {
                [GroupsField] = new List<object?>
                {
                    new List<object?> { 4L, Group },
                },
            }
        );
        var parameters = await SearchAsync("ir.config_parameter", ["key", "=", Registry]);
        if (parameters.Count == 0)
            await RegisterAsync();
        else
            Parameter = parameters[0];
        Action = await CreateAsync(
            "ir.actions.server",
            new PyDict
            {
                ["name"] = "CDC: apply changes",
                ["model_id"] = CardModel,
                ["state"] = "code",
                ["code"] = Body,
                [GroupsField] = Replace(Group),
            }
        );
        _undo.Add(() => RemoveAsync("ir.actions.server", ["id", "=", Action]));
    }

    private async Task RegisterAsync()
    {
        Parameter = await CreateAsync(
            "ir.config_parameter",
            new PyDict { ["key"] = Registry, ["value"] = "registry of cards made by the engine" }
        );
        _undo.Add(() => RemoveAsync("ir.config_parameter", ["key", "=", Registry]));
    }

    private async Task FieldAsync(string model, long modelId, string name, string type)
    {
        var there = await SearchAsync("ir.model.fields", ["model", "=", model], ["name", "=", name]);
        if (there.Count > 0)
        {
            Fields[(model, name)] = there[0];
            return;
        }
        var id = await CreateAsync(
            "ir.model.fields",
            new PyDict
            {
                ["state"] = "manual",
                ["copied"] = false,
                ["readonly"] = true,
                ["model_id"] = modelId,
                ["name"] = name,
                ["field_description"] = name,
                ["ttype"] = type,
                ["index"] = type == "char",
            }
        );
        Fields[(model, name)] = id;
        _undo.Add(() => RemoveAsync("ir.model.fields", ["id", "=", id]));
    }

    /// <summary>What the test has not removed itself.</summary>
    private async Task RemoveAsync(string model, params object?[] leaf)
    {
        if (await SearchAsync(model, leaf) is { Count: > 0 } left)
            await UnlinkAsync(model, [.. left]);
    }

    private static List<object?> List(IEnumerable<object?> values) => [.. values];

    private sealed class NotOurs : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
