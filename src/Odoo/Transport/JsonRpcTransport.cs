using System.Text.Json;
using Cdc.Core.Failures;
using Cdc.Odoo.Calls;
using Cdc.Odoo.Failures;

namespace Cdc.Odoo.Transport;

/// <summary>
/// <c>POST /jsonrpc</c>, <c>execute_kw</c>. The status is 200 whatever happened: <c>error</c> in the answer is what counts, and neither
/// <c>error</c> nor <c>result</c> is a method that returned nothing.
/// </summary>
internal sealed class JsonRpcTransport(OdooOptions options, OdooHttp http) : IOdooTransport
{
    public const int CallId = 1;
    private const string Path = "jsonrpc";

    private long _user;

    public async Task<JsonElement?> CallAsync(OdooCall call, CancellationToken ct)
    {
        var user = await UserAsync(ct);
        var body = CallBody.JsonRpc(call, options.Database, user, await OdooKey.ReadAsync(options, ct));
        return await SendAsync(http, body, new CallFacts(call.Name, call.MayBeRepeated), ct);
    }

    /// <summary>
    /// Asked once, by each of the calls that come before the first answer: a user's id doesn't change, and the key goes with each call.
    /// </summary>
    public async Task<long> UserAsync(CancellationToken ct)
    {
        if (Interlocked.Read(ref _user) is var known and > 0)
            return known;
        var user = await AuthenticateAsync(ct);
        Interlocked.Exchange(ref _user, user);
        return user;
    }

    /// <summary>Of one answer of <c>/jsonrpc</c>.</summary>
    public static async Task<JsonElement?> SendAsync(OdooHttp http, byte[] body, CallFacts facts, CancellationToken ct)
    {
        var reply = await http.SendAsync(Path, body, facts, prepare: null, ct);
        if (PageTable.IsPassing(reply.Status, reply.MediaType) || reply.Status != 200)
            throw new OdooException(PageTable.Of(reply), facts);
        if (PythonJson.Parse(reply.Body) is not { } json || !IsAnswer(json))
            throw new OdooException(PageTable.Unreadable("answered with JSON that ends too early, or is no answer of JSON-RPC."), facts);
        if (json.TryGetProperty("error", out var failed))
            throw new OdooException(Read(failed, facts), facts);
        return json.TryGetProperty("result", out var result) && result.ValueKind != JsonValueKind.Null ? result : null;
    }

    private static bool IsAnswer(JsonElement json) =>
        json.ValueKind == JsonValueKind.Object
        && json.TryGetProperty("jsonrpc", out _)
        && json.TryGetProperty("id", out var id)
        && id.ValueKind == JsonValueKind.Number
        && id.GetInt32() == CallId;

    private static OdooFailure Read(JsonElement error, CallFacts facts) =>
        error.ValueKind == JsonValueKind.Object && error.TryGetProperty("data", out var data) && OdooError.Read(data, 200) is { } known
            ? ErrorTable.Of(known, facts)
            : PageTable.Unreadable("answered with an error that does not say which.");

    private async Task<long> AuthenticateAsync(CancellationToken ct)
    {
        if (options.Database.Length == 0 || options.Login.Length == 0)
            throw new CdcException(
                FailureKind.Configuration,
                "Odoo:Database or Odoo:Login is missing: over JSON-RPC (Odoo 16 to 18) both are needed.",
                "Set Odoo:Database to the name of Odoo's database, and Odoo:Login to the login of the user whose key Odoo:Key is."
            );
        var facts = new CallFacts("authenticate", mayBeRepeated: true);
        var body = CallBody.Authenticate(options.Database, options.Login, await OdooKey.ReadAsync(options, ct));
        // A wrong login or key is no error but false.
        return await SendAsync(http, body, facts, ct) is { ValueKind: JsonValueKind.Number } user
            ? user.GetInt64()
            : throw new OdooException(
                new OdooFailure("odoo-key", FailureClass.Systemic, "does not know this login with this key.", Remedies.Key)
                {
                    Kind = FailureKind.Configuration,
                },
                facts
            );
    }
}
