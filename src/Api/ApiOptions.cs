using Cdc.Api.Security;
using Cdc.Core.Configuration;
using Cdc.Core.Failures;

namespace Cdc.Api;

/// <summary>The HTTP interface (section <c>Api</c>).</summary>
public sealed record ApiOptions : IOptionSection
{
    /// <summary>False: <c>cdc run</c> serves nothing.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>
    /// Where to listen, separated by semicolons. While there are no keys yet, only on loopback addresses, whatever this says.
    /// </summary>
    public string Urls { get; init; } = "http://127.0.0.1:8642";

    /// <summary>PEM file of the certificate for https, its chain included.</summary>
    public string Certificate { get; init; } = "";

    /// <summary>PEM file of its private key.</summary>
    public string CertificateKey { get; init; } = "";

    /// <summary>Connections to the engine for requests.</summary>
    public int Connections { get; init; } = 16;

    /// <summary>Npgsql connection string of read replicas of the engine (hosts separated by commas); empty: there are none.</summary>
    public string ReplicaConnectionString { get; init; } = "";

    /// <summary>How long a request may wait for the engine, and for a place in its queue.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Connections to Odoo's database, for reads that a cutover leaves to Odoo.</summary>
    public int OdooConnections { get; init; } = 4;

    /// <summary>How long such a read may take, and wait for its connection, before the engine answers instead.</summary>
    public TimeSpan OdooTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Percent of the reads of cards, while a cutover runs, of which both sides' answers are compared.</summary>
    public decimal ShadowPercent { get; init; } = 1;

    /// <summary>For how long a service may keep what /route says.</summary>
    public TimeSpan RouteLease { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Memory for cards that were read; 0: nothing is kept.</summary>
    public long CacheBytes { get; init; } = 32 << 20;

    /// <summary>Requests a second of one key, where the key itself does not say otherwise.</summary>
    public int RequestsPerSecond { get; init; } = 10_000;

    /// <summary>Above it <c>/health/ready</c> says degraded.</summary>
    public TimeSpan LagLimit { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// In which a day begins and ends, for cards and programs that do: that of the company, such as <c>Asia/Jakarta</c>.
    /// </summary>
    public string TimeZone { get; init; } = "UTC";

    /// <summary>Where metrics are sent by OTLP (gRPC), such as <c>http://collector:4317</c>; empty: nowhere.</summary>
    public string OtlpEndpoint { get; init; } = "";

    public void Check(OptionChecks checks)
    {
        checks.Require(CanListenAt(Urls), nameof(Urls), "must be addresses such as http://127.0.0.1:8642, separated by semicolons");
        checks.Require(
            CertificateKey.Length == 0 || Certificate.Length > 0,
            nameof(CertificateKey),
            "has no effect without Api:Certificate: set both, or neither"
        );
        checks.Require(
            !CanListenAt(Urls) || IsHttps == Certificate.Length > 0,
            IsHttps ? nameof(Urls) : nameof(Certificate),
            IsHttps ? "has an https address, which needs Api:Certificate" : "has no effect: no address of Api:Urls is https"
        );
        checks.AtLeast(nameof(Connections), Connections, 1);
        checks.Require(Connections <= 1000, nameof(Connections), "must be at most 1000");
        checks.Interval(nameof(Timeout), Timeout);
        checks.AtLeast(nameof(OdooConnections), OdooConnections, 1);
        checks.Require(OdooConnections <= 100, nameof(OdooConnections), "must be at most 100");
        checks.Interval(nameof(OdooTimeout), OdooTimeout);
        checks.Require(ShadowPercent is >= 0 and <= 100, nameof(ShadowPercent), "must be from 0 to 100");
        checks.Interval(nameof(RouteLease), RouteLease, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        checks.AtLeast(nameof(CacheBytes), CacheBytes, 0);
        checks.AtLeast(nameof(RequestsPerSecond), RequestsPerSecond, 1);
        checks.Require(LagLimit > TimeSpan.Zero, nameof(LagLimit), "must be above zero");
        checks.Require(
            TimeZoneInfo.TryFindSystemTimeZoneById(TimeZone, out _),
            nameof(TimeZone),
            "must be a time zone that this machine knows, such as Asia/Jakarta"
        );
        checks.Require(
            OtlpEndpoint.Length == 0 || (Uri.TryCreate(OtlpEndpoint, UriKind.Absolute, out var otlp) && otlp.Scheme is "http" or "https"),
            nameof(OtlpEndpoint),
            "must be a URL such as http://collector:4317"
        );
    }

    private bool IsHttps => CanListenAt(Urls) && ListenUrl.Parse(Urls, anyKeys: true).Any(url => url.IsHttps);

    private static bool CanListenAt(string urls)
    {
        try
        {
            ListenUrl.Parse(urls, anyKeys: true);
            return true;
        }
        catch (CdcException)
        {
            return false;
        }
    }
}
