using Cdc.Core.Configuration;

namespace Cdc.Log.Registry;

/// <summary>The schema registry (section <c>Registry</c>).</summary>
public sealed record RegistryOptions : IOptionSection
{
    /// <summary>
    /// Of a registry that speaks Confluent's protocol, such as <c>https://registry:8081</c>; several, with commas between them, are tried
    /// in turn. Empty: the built-in one, in the engine.
    /// </summary>
    public string Url { get; init; } = "";

    /// <summary>Of basic authentication. Empty: none.</summary>
    public string Username { get; init; } = "";
    public string Password { get; init; } = "";

    /// <summary>A PEM file of certificates that sign the registry's. Empty: the system's.</summary>
    public string CaCertificate { get; init; } = "";

    /// <summary>For one answer; it is asked again a few times.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Any setting of Confluent's schema registry client for .NET, by its own name or with underscores for dots, with or without
    /// <c>schema.registry.</c> before it: ssl.keystore.location, bearer_auth_client_id. Wins over our own.
    /// </summary>
    public IReadOnlyDictionary<string, string> Client { get; init; } = new Dictionary<string, string>();

    public void Check(OptionChecks checks)
    {
        checks.Require(
            Url.Length == 0
                || Url.Split(',', StringSplitOptions.TrimEntries)
                    .All(one => Uri.TryCreate(one, UriKind.Absolute, out var url) && url is { Scheme: "http" or "https", UserInfo: "" }),
            nameof(Url),
            "must be a URL such as https://registry:8081, or several with commas between them, "
                + "without user and password (Registry:Username, Registry:Password), or nothing for the built-in registry"
        );
        checks.Interval(nameof(Timeout), Timeout);
        checks.Require(Username.Length > 0 || Password.Length == 0, nameof(Password), "has no effect without Registry:Username");
        foreach (
            var (option, isSet) in ((string, bool)[])
                [
                    (nameof(Username), Username.Length > 0),
                    (nameof(CaCertificate), CaCertificate.Length > 0),
                    (nameof(Client), Client.Count > 0),
                ]
        )
            checks.Require(!isSet || Url.Length > 0, option, "has no effect without Registry:Url: the built-in registry needs none");
    }
}
