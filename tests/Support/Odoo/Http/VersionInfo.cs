namespace Cdc.Tests.Support.Odoo.Http;

/// <summary>Which Odoo it is, as each place says it.</summary>
internal static class VersionInfo
{
    public static PyDict Rpc(int major) =>
        new()
        {
            ["server_version"] = $"{major}.0",
            ["server_version_info"] = Parts(major),
            ["server_serie"] = $"{major}.0",
            ["protocol_version"] = 1L,
        };

    /// <summary>GET /web/version and /json/version, from 19 on.</summary>
    public static PyDict Web(int major) => new() { ["version_info"] = Parts(major), ["version"] = $"{major}.0" };

    private static List<object?> Parts(int major) => [(long)major, 0L, 0L, "final", 0L, ""];
}
