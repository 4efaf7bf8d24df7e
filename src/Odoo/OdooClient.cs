using System.Text.Json;
using System.Text.Json.Nodes;
using Cdc.Core.Failures;
using Cdc.Odoo.Calls;
using Cdc.Odoo.Failures;
using Cdc.Odoo.Transport;
using Microsoft.Extensions.Logging;

namespace Cdc.Odoo;

/// <summary>
/// One Odoo, called as one user. Every failed call is an <see cref="OdooException"/>, whose class says what it means for the next. What is
/// read may come from a replica, and so be older than what was written just before: what Odoo has is known by its WAL alone.
/// </summary>
public sealed class OdooClient : IDisposable
{
    private readonly OdooOptions _options;
    private readonly OdooHttp _http;
    private readonly IOdooTransport _transport;

    private OdooClient(OdooOptions options, OdooHttp http, OdooVersion version)
    {
        (_options, _http, Version) = (options, http, version);
        Protocol =
            options.Protocol is not OdooProtocol.Auto and var chosen ? chosen
            : version.HasJson2 ? OdooProtocol.Json2
            : OdooProtocol.JsonRpc;
        _transport = Protocol == OdooProtocol.Json2 ? new Json2Transport(options, http) : new JsonRpcTransport(options, http);
    }

    public OdooVersion Version { get; }

    public OdooProtocol Protocol { get; }

    /// <summary>Asks for the version alone: whether the key is right, <see cref="UserAsync"/> says.</summary>
    public static async Task<OdooClient> ConnectAsync(OdooOptions options, TimeProvider time, ILogger log, CancellationToken ct)
    {
        if (options.Url.Length == 0)
            throw new CdcException(
                FailureKind.Configuration,
                "Odoo:Url is missing: it is not known where Odoo answers.",
                "Set Odoo:Url to the address at which Odoo's sign-in page opens, such as https://odoo.example.com."
            );
        var http = new OdooHttp(options, time, log);
        try
        {
            var client = new OdooClient(options, http, await VersionProbe.FindAsync(http, ct));
            OdooLog.Connected(log, client.Version.ToString(), client.Protocol);
            return client;
        }
        catch
        {
            http.Dispose();
            throw;
        }
    }

    public void Dispose() => _http.Dispose();

    /// <summary>The id of the user of these calls; with it, that the key is right.</summary>
    public Task<long> UserAsync(CancellationToken ct) => _transport.UserAsync(ct);

    /// <summary>The context of all calls: no mails, no tracking, UTC.</summary>
    public JsonObject Quiet() => OdooContext.Quiet(_options);

    internal JsonObject English() => OdooContext.English(_options);

    /// <summary>A call as it is, for what no other method here does.</summary>
    /// <returns>Null: the method returns nothing.</returns>
    public Task<JsonElement?> CallAsync(OdooCall call, CancellationToken ct) => _transport.CallAsync(call, ct);

    /// <param name="limit">Null: all.</param>
    public async Task<IReadOnlyList<OdooRecord>> SearchReadAsync(
        string model,
        JsonArray domain,
        IReadOnlyList<string> fields,
        int? limit = null,
        CancellationToken ct = default
    )
    {
        List<OdooArgument> named = [new("fields", Names(fields))];
        if (limit is { } most)
            named.Add(new OdooArgument("limit", most));
        var call = new OdooCall(model, "search_read")
        {
            Placed = [new("domain", domain)],
            Named = named,
            Context = English(),
            MayBeRepeated = true,
        };
        return Records(call, await CallAsync(call, ct));
    }

    /// <returns>Those that there are: Odoo leaves the others out.</returns>
    public async Task<IReadOnlyList<OdooRecord>> ReadAsync(
        string model,
        IReadOnlyList<long> ids,
        IReadOnlyList<string> fields,
        CancellationToken ct
    )
    {
        OdooId.Check(ids);
        var call = new OdooCall(model, "read")
        {
            Ids = ids,
            Named = [new("fields", Names(fields))],
            Context = Quiet(),
            MayBeRepeated = true,
        };
        return Records(call, await CallAsync(call, ct));
    }

    /// <summary>
    /// The same values in all of them. Writing the same twice does what writing it once does, but for what others wrote between.
    /// </summary>
    public async Task WriteAsync(string model, IReadOnlyList<long> ids, JsonObject values, bool mayBeRepeated, CancellationToken ct)
    {
        OdooId.Check(ids);
        await CallAsync(
            new OdooCall(model, "write")
            {
                Ids = ids,
                Placed = [new("vals", values)],
                Context = Quiet(),
                MayBeRepeated = mayBeRepeated,
            },
            ct
        );
    }

    /// <summary>
    /// Never sent again by itself: nothing in Odoo recognises the second. What must be there once goes by <see cref="LoadAsync"/>.
    /// </summary>
    public async Task<IReadOnlyList<long>> CreateAsync(string model, IReadOnlyList<JsonObject> values, CancellationToken ct)
    {
        var call = new OdooCall(model, "create")
        {
            Placed = [new("vals_list", new JsonArray([.. values.Select(v => v.DeepClone())]))],
            Context = English(),
        };
        return await CallAsync(call, ct) switch
        {
            { ValueKind: JsonValueKind.Array } ids => [.. ids.EnumerateArray().Select(i => i.GetInt64())],
            { ValueKind: JsonValueKind.Number } id => [id.GetInt64()],
            _ => throw NotUnderstood(call),
        };
    }

    /// <summary>
    /// Of records that are gone already it is refused (<c>odoo-missing</c>), but where an earlier sending may have removed them.
    /// </summary>
    public async Task UnlinkAsync(string model, IReadOnlyList<long> ids, CancellationToken ct)
    {
        OdooId.Check(ids);
        var call = new OdooCall(model, "unlink")
        {
            Ids = ids,
            Context = Quiet(),
            MayBeRepeated = true,
        };
        try
        {
            await CallAsync(call, ct);
        }
        catch (OdooException e) when (e is { Code: "odoo-missing", MayBeApplied: true })
        {
            // Done, and its answer was lost.
        }
    }

    /// <summary>
    /// Creates the rows whose external ids Odoo does not know, all or none; changes none. Once, however often it is sent.
    /// </summary>
    /// <returns>Their ids, one a row.</returns>
    public async Task<IReadOnlyList<long>> LoadAsync(string model, LoadTable table, CancellationToken ct)
    {
        if (table.Count == 0)
            return [];
        var call = new OdooCall(model, "load")
        {
            Placed = [new("fields", table.Fields), new("data", table.Data)],
            Context = OdooContext.CreateOnly(_options),
            MayBeRepeated = true,
        };
        return LoadAnswer.Read(call, table.Count, await CallAsync(call, ct));
    }

    /// <summary>Runs a server action, which finds <paramref name="payload"/> in its context under <paramref name="name"/>.</summary>
    /// <returns>What it left in <c>action</c>; null: nothing.</returns>
    public Task<JsonElement?> RunActionAsync(long action, string name, JsonNode payload, bool mayBeRepeated, CancellationToken ct)
    {
        OdooId.Check(action);
        var context = English();
        context[name] = payload.DeepClone();
        return CallAsync(
            new OdooCall("ir.actions.server", "run")
            {
                Ids = [action],
                Context = context,
                MayBeRepeated = mayBeRepeated,
            },
            ct
        );
    }

    /// <summary>When the key of these calls ends, as far as Odoo says it to this user.</summary>
    public async Task<KeyExpiry> KeyExpiryAsync(CancellationToken ct)
    {
        if (!Version.HasKeyExpiry)
            return KeyExpiry.Never;
        var user = await UserAsync(ct);
        try
        {
            var keys = await SearchReadAsync(
                "res.users.apikeys",
                [new JsonArray("user_id", "=", user)],
                ["scope", "expiration_date"],
                ct: ct
            );
            // Keys of another scope cannot be used for calls.
            return KeyExpiry.Of([.. keys.Where(k => k.Text("scope") is null or "rpc").Select(k => k.Moment("expiration_date"))]);
        }
        catch (OdooException e) when (e.Class is FailureClass.Systemic && e.Code is "odoo-access" or "odoo-schema")
        {
            return KeyExpiry.Unknown("Odoo does not let this user read its own keys");
        }
    }

    private static JsonArray Names(IReadOnlyList<string> fields) => [.. fields.Select(f => (JsonNode)f)];

    private static List<OdooRecord> Records(OdooCall call, JsonElement? answer) =>
        answer is { ValueKind: JsonValueKind.Array } records
            ? [.. records.EnumerateArray().Select(r => new OdooRecord(r))]
            : throw NotUnderstood(call);

    private static OdooException NotUnderstood(OdooCall call) =>
        new(PageTable.Unreadable("answered with something else than it does."), new CallFacts(call.Name, call.MayBeRepeated));
}
