using System.Text.Json;
using Cdc.Odoo.Calls;
using Cdc.Odoo.Failures;

namespace Cdc.Odoo.Transport;

/// <summary>
/// Which Odoo answers, before anything else is known of it, and without a key. 19 says it at <c>/web/version</c>; where that address is not
/// there (it is a page then), <c>/jsonrpc</c> says it until 21.
/// </summary>
internal static class VersionProbe
{
    public static async Task<OdooVersion> FindAsync(OdooHttp http, CancellationToken ct)
    {
        var facts = new CallFacts("version", mayBeRepeated: true);
        var reply = await http.SendAsync("web/version", body: null, facts, prepare: null, ct);
        var text =
            reply.Status == 200 ? Text(PythonJson.Parse(reply.Body), "version")
            : IsAnswered(reply) ? Text(await JsonRpcTransport.SendAsync(http, CallBody.Version(), facts, ct), "server_version")
            : throw new OdooException(PageTable.Of(reply), facts);
        return OdooVersion.Parse(text)
            ?? throw new OdooException(
                new OdooFailure("odoo-address", FailureClass.Systemic, "did not say its version.", Remedies.Address)
                {
                    Kind = Core.Failures.FailureKind.Configuration,
                },
                facts
            );
    }

    /// <summary>By something that knows no such address, or names its start page in its place.</summary>
    private static bool IsAnswered(OdooReply reply) => reply.Status is 302 or 303 or 403 or 404 or 405;

    private static string? Text(JsonElement? json, string name) =>
        json is { ValueKind: JsonValueKind.Object } answer && answer.TryGetProperty(name, out var text) ? text.ToString() : null;
}
