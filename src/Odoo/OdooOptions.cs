using System.Globalization;
using System.Text.RegularExpressions;
using Cdc.Core.Configuration;

namespace Cdc.Odoo;

/// <summary>How Odoo is called (section <c>Odoo</c>). Its database is another section, <c>Source</c>.</summary>
public sealed partial record OdooOptions : IOptionSection
{
    /// <summary>Where Odoo answers, such as <c>https://odoo.example.com</c>; empty: it is not called.</summary>
    public string Url { get; init; } = "";

    /// <summary>Name of Odoo's database. JSON-2 does without where the host name leaves one.</summary>
    public string Database { get; init; } = "";

    /// <summary>Of the user whose key it is. JSON-2 does without: the key says whose it is.</summary>
    public string Login { get; init; } = "";

    /// <summary>API key of the user of these calls (over JSON-RPC a password as well).</summary>
    public string Key { get; init; } = "";

    /// <summary>
    /// In place of <see cref="Key"/>: a file that holds it and is read at every call, so that a new key needs no restart.
    /// </summary>
    public string KeyFile { get; init; } = "";

    public OdooProtocol Protocol { get; init; }

    /// <summary>
    /// Id of the server action of the way "sequence", as <c>cdc reverse install</c> tells it; 0: not installed. The user of these calls may
    /// run it, and cannot look for it.
    /// </summary>
    public long Action { get; init; }

    /// <summary>In which translated texts are written, and in which Odoo's own errors come.</summary>
    public string Language { get; init; } = "en_US";

    /// <summary>Ids of the companies whose records are seen, separated by commas; empty: the user's company.</summary>
    public string Companies { get; init; } = "";

    /// <summary>
    /// For one answer. Odoo repeats a transaction five times before it says "could not serialize": that alone takes up to 21 seconds.
    /// </summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How often a call is sent in all where it failed by network or proxy, and may be repeated.</summary>
    public int Attempts { get; init; } = 3;

    /// <summary>Calls at the same time.</summary>
    public int ParallelCalls { get; init; } = 4;

    /// <summary>Some hostings allow one; 0: no limit.</summary>
    public decimal CallsPerSecond { get; init; }

    /// <summary>Null: the user's own.</summary>
    internal IReadOnlyList<long>? CompanyIds =>
        Companies.Length == 0
            ? null
            : [.. Companies.Split(',', StringSplitOptions.TrimEntries).Select(c => long.Parse(c, CultureInfo.InvariantCulture))];

    public void Check(OptionChecks checks)
    {
        checks.Require(
            Url.Length == 0 || IsAddress(Url),
            nameof(Url),
            "must be a URL such as https://odoo.example.com, without user, query and fragment"
        );
        checks.Require(Key.Length == 0 || KeyFile.Length == 0, nameof(KeyFile), "must be empty where Key is set, or Key is");
        checks.Require(Languages().IsMatch(Language), nameof(Language), "must be a language as Odoo writes it, such as en_US");
        checks.Require(
            Companies.Length == 0 || CompanyLists().IsMatch(Companies),
            nameof(Companies),
            "must be ids of companies separated by commas, such as 1,3"
        );
        checks.Require(Action is >= 0 and <= int.MaxValue, nameof(Action), "must be the id that 'cdc reverse install' told, or 0");
        checks.Interval(nameof(Timeout), Timeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(15));
        checks.Require(Attempts is >= 1 and <= 20, nameof(Attempts), "must be between 1 and 20");
        checks.Require(ParallelCalls is >= 1 and <= 64, nameof(ParallelCalls), "must be between 1 and 64");
        checks.Require(CallsPerSecond is >= 0 and <= 10_000, nameof(CallsPerSecond), "must be between 0 (no limit) and 10000");
    }

    /// <summary>Never the key.</summary>
    public override string ToString() => $"Odoo {Url}, database {Database}, login {Login}";

    private static bool IsAddress(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri)
        && uri.Scheme is "http" or "https"
        && uri.UserInfo.Length == 0
        && uri.Query.Length == 0
        && uri.Fragment.Length == 0;

    [GeneratedRegex(@"^[a-z]{2,3}(_[A-Za-z0-9]+)?(@[a-z]+)?\z")]
    private static partial Regex Languages();

    [GeneratedRegex(@"^\s*[1-9][0-9]{0,8}\s*(,\s*[1-9][0-9]{0,8}\s*)*\z")]
    private static partial Regex CompanyLists();
}
