using System.Net.Http.Headers;
using System.Text;
using Cdc.Tests.Support.Odoo.Python;

namespace Cdc.Tests.Integration.Odoo.Contract;

/// <summary>A plain HTTP client of one user: no retries, no interpretation.</summary>
/// <param name="IsJsonRpc">False: JSON-2, with <paramref name="Secret"/> as key.</param>
internal sealed record OdooClient(HttpClient Http, string Database, long Uid, string Secret, bool IsJsonRpc)
{
    /// <summary>Of a method, with arguments in the order and by the names that it has.</summary>
    /// <param name="ids">Null: the method is the model's.</param>
    public Task<OdooReply> CallAsync(
        string model,
        string method,
        IEnumerable<long>? ids,
        CancellationToken ct,
        PyDict? context = null,
        params (string Name, object? Value)[] arguments
    )
    {
        var named = new PyDict();
        if (context is not null)
            named["context"] = context;
        List<object?>? records = ids is null ? null : [.. ids.Cast<object?>()];
        if (IsJsonRpc)
        {
            var positional = arguments.Select(a => a.Value).ToList();
            return RpcAsync("object", "execute_kw", ct, model, method, records is null ? positional : [records, .. positional], named);
        }
        if (records is not null)
            named["ids"] = records;
        foreach (var (name, value) in arguments)
            named[name] = value;
        return SendAsync("POST", $"/json/2/{model}/{method}", PyJson.Write(named), ct);
    }

    /// <summary>A service of JSON-RPC; those of <c>object</c> begin with database, user and secret.</summary>
    public Task<OdooReply> RpcAsync(string service, string method, CancellationToken ct, params object?[] arguments)
    {
        List<object?> all = service == "object" ? [Database, Uid, Secret, .. arguments] : [.. arguments];
        var body = new PyDict
        {
            ["jsonrpc"] = "2.0",
            ["method"] = "call",
            ["params"] = new PyDict
            {
                ["service"] = service,
                ["method"] = method,
                ["args"] = all,
            },
            ["id"] = 1L,
        };
        return SendAsync("POST", "/jsonrpc", PyJson.Write(body), ct);
    }

    public async Task<OdooReply> SendAsync(string method, string path, string body, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.TryAddWithoutValidation("X-Odoo-Database", Database);
        request.Headers.Authorization = new AuthenticationHeaderValue("bearer", Secret);
        if (body.Length > 0)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await Http.SendAsync(request, ct);
        return new OdooReply((int)response.StatusCode, await response.Content.ReadAsStringAsync(ct));
    }
}
