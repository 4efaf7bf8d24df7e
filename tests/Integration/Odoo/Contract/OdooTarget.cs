using System.Globalization;
using Cdc.Tests.Support.Odoo;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Odoo.Contract;

/// <summary>
/// Which Odoo a test of the contract talks to, and how: <c>19</c>, <c>16 json-rpc</c>; <c>real</c> is what <c>CDC_TEST_ODOO_URL</c>,
/// <c>CDC_TEST_ODOO_KEY</c> (an administrator's API key), <c>CDC_TEST_ODOO_DB</c> and, for JSON-RPC, <c>CDC_TEST_ODOO_LOGIN</c> name.
/// </summary>
internal sealed record OdooTarget(Uri Url, string Database, string Login, string Key, IAsyncDisposable? Server)
{
    private const string JsonRpc = " json-rpc";
    private const string Real = "real";

    public bool IsReal => Server is null;

    /// <summary>Each once, and the real one by both protocols: a version that has no JSON-2 uses JSON-RPC for both.</summary>
    public static TheoryData<string> All() => new([.. Recorded(), "19" + JsonRpc, .. Named(JsonRpc)]);

    /// <summary>By the protocol in which answers of the version were recorded.</summary>
    public static TheoryData<string> OfRecordings() => new(Recorded());

    /// <summary>Versions from 19 on.</summary>
    public static TheoryData<string> WithJson2() => new(["19", .. Named("")]);

    public static TheoryData<string> Of19() => new(["19" + JsonRpc, .. Named(JsonRpc)]);

    public static bool IsJsonRpc(string name) => name.EndsWith(JsonRpc, StringComparison.Ordinal);

    public static async Task<OdooTarget> OpenAsync(string name, TestServers servers, CancellationToken ct)
    {
        if (name.StartsWith(Real, StringComparison.Ordinal))
            return new OdooTarget(
                new Uri(Variable("URL")!),
                Variable("DB") ?? "",
                Variable("LOGIN") ?? "admin",
                Variable("KEY") ?? "",
                null
            );
        var odoo = await OdooStandIn.StartAsync(servers, int.Parse(name.Split(' ')[0], CultureInfo.InvariantCulture), ct);
        return new OdooTarget(odoo.Address, odoo.Database.Name, odoo.Login, odoo.Key, odoo);
    }

    private static string[] Recorded() => ["16" + JsonRpc, "17" + JsonRpc, "18" + JsonRpc, "19", .. Named("")];

    private static string[] Named(string protocol) => string.IsNullOrEmpty(Variable("URL")) ? [] : [Real + protocol];

    private static string? Variable(string name) => Environment.GetEnvironmentVariable($"CDC_TEST_ODOO_{name}");
}
