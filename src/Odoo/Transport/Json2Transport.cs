using System.Net.Http.Headers;
using System.Text.Json;
using Cdc.Odoo.Calls;
using Cdc.Odoo.Failures;

namespace Cdc.Odoo.Transport;

/// <summary>
/// <c>POST /json/2/MODEL/METHOD</c>. Errors have real statuses and Odoo's body; a page in place of JSON comes from elsewhere, or from Odoo
/// where it has not found the database.
/// </summary>
internal sealed class Json2Transport(OdooOptions options, OdooHttp http) : IOdooTransport
{
    private const int Ok = 200;

    public async Task<JsonElement?> CallAsync(OdooCall call, CancellationToken ct)
    {
        var facts = new CallFacts(call.Name, call.MayBeRepeated);
        var key = await OdooKey.ReadAsync(options, ct);
        var reply = await http.SendAsync($"json/2/{call.Model}/{call.Method}", CallBody.Json2(call), facts, h => Prepare(h, key), ct);
        if (PageTable.IsPassing(reply.Status, reply.MediaType) || PythonJson.Parse(reply.Body) is not { } json)
            throw new OdooException(reply.Status == Ok ? Broken(reply) : PageTable.Of(reply), facts);
        if (reply.Status == Ok)
            return json.ValueKind == JsonValueKind.Null ? null : json;
        throw new OdooException(OdooError.Read(json, reply.Status) is { } error ? ErrorTable.Of(error, facts) : PageTable.Of(reply), facts);
    }

    public async Task<long> UserAsync(CancellationToken ct)
    {
        var call = new OdooCall("res.users", "context_get") { MayBeRepeated = true };
        return await CallAsync(call, ct) is { ValueKind: JsonValueKind.Object } context && context.TryGetProperty("uid", out var uid)
            ? uid.GetInt64()
            : throw new OdooException(PageTable.Unreadable("did not say whose key it is."), new CallFacts(call.Name, mayBeRepeated: true));
    }

    private static OdooFailure Broken(OdooReply reply) =>
        PageTable.IsPassing(reply.Status, reply.MediaType)
            ? PageTable.Of(reply)
            : PageTable.Unreadable("answered with JSON that ends too early, or is none.");

    private void Prepare(HttpRequestHeaders headers, string key)
    {
        headers.Authorization = new AuthenticationHeaderValue("bearer", key);
        if (options.Database.Length > 0)
            headers.Add("X-Odoo-Database", options.Database);
    }
}
