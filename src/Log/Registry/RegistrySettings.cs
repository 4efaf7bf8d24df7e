using System.Globalization;
using System.Security.Cryptography;
using Cdc.Core.Failures;
using Confluent.SchemaRegistry;
using Names = Confluent.SchemaRegistry.SchemaRegistryConfig.PropertyNames;

namespace Cdc.Log.Registry;

/// <summary>The section <c>Registry</c> as settings of Confluent's client.</summary>
internal static class RegistrySettings
{
    private const string Prefix = "schema.registry.";

    /// <exception cref="CdcException">Configuration: the certificates cannot be read, or a setting is unknown or refused.</exception>
    public static CachedSchemaRegistryClient Client(RegistryOptions options)
    {
        CachedSchemaRegistryClient? client = null;
        try
        {
            var settings = Of(options);
            client = new CachedSchemaRegistryClient(settings);
            if (options.CaCertificate.Length > 0)
                RegistryTrust.Replace(client, options.CaCertificate, settings);
            return client;
        }
        catch (Exception e)
            when (e
                    is ArgumentException
                        or FormatException
                        or OverflowException
                        or IOException
                        or UnauthorizedAccessException
                        or CryptographicException
            )
        {
            client?.Dispose();
            throw new CdcException(
                FailureKind.Configuration,
                $"A client of the schema registry cannot be made: {e.Message}",
                "Correct Registry:CaCertificate (a PEM file of certificates) or CDC__Registry__Client__…: "
                    + "names (with _ for each dot) and values are those of Confluent's schema registry client for .NET.",
                e
            );
        }
    }

    /// <summary>Ours first; what <see cref="RegistryOptions.Client"/> says wins, but for the address.</summary>
    /// <exception cref="ArgumentException">A setting is not one of a registry's client, or says what another option says.</exception>
    public static Dictionary<string, string> Of(RegistryOptions options)
    {
        var settings = new Dictionary<string, string>
        {
            [Names.SchemaRegistryRequestTimeoutMs] = Number(options.Timeout.TotalMilliseconds),
            [Names.SchemaRegistryMaxRetries] = "4",
            [Names.SchemaRegistryRetriesWaitMs] = "200",
            [Names.SchemaRegistryMaxCachedSchemas] = Number(int.MaxValue),
        };
        if (options.Username.Length > 0)
            settings[Names.SchemaRegistryBasicAuthUserInfo] = $"{options.Username}:{options.Password}";
        foreach (var (name, value) in options.Client)
            settings[NameOf(name)] = value;
        settings[Names.SchemaRegistryUrl] = string.Join(',', options.Url.Split(',', StringSplitOptions.TrimEntries));
        // With no attempt at all the client fails without saying why.
        if (!int.TryParse(settings[Names.SchemaRegistryMaxRetries], CultureInfo.InvariantCulture, out var attempts) || attempts < 1)
            throw new ArgumentException($"{Names.SchemaRegistryMaxRetries} must be at least 1.");
        return settings;
    }

    /// <summary>A shell cannot export a name with a dot in it, and no setting of the client has an underscore.</summary>
    private static string NameOf(string given)
    {
        var name = given.Replace('_', '.').ToLowerInvariant();
        name = name.StartsWith(Prefix, StringComparison.Ordinal) ? name : Prefix + name;
        return name switch
        {
            Names.SchemaRegistryUrl => throw new ArgumentException($"{name} is Registry:Url."),
            // It accepts any certificate that the named one has signed, whatever its host, and only if the server sends the named one.
            Names.SslCaLocation => throw new ArgumentException($"{name} is Registry:CaCertificate."),
            _ => name,
        };
    }

    private static string Number(double milliseconds) => ((int)milliseconds).ToString(CultureInfo.InvariantCulture);
}
