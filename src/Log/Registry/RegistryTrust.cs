using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Confluent.SchemaRegistry;
using Names = Confluent.SchemaRegistry.SchemaRegistryConfig.PropertyNames;

namespace Cdc.Log.Registry;

/// <summary>
/// A registry whose certificate is signed by a private authority. Confluent's client only compares the certificates that a server sends
/// with the named file: it refuses a server that does not send its root (the usual case), and accepts any host
/// name and any date from one that does. So its connections are replaced by ones that check the chain and the name.
/// </summary>
internal static class RegistryTrust
{
    /// <exception cref="CryptographicException">The file holds no certificate, or something else.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static void Replace(CachedSchemaRegistryClient client, string caCertificate, Dictionary<string, string> settings)
    {
        var trusted = new X509Certificate2Collection();
        trusted.ImportFromPemFile(caCertificate);
        if (trusted.Count == 0)
            throw new CryptographicException($"{caCertificate} holds no certificate.");
        var clients = Connections(client);
        for (var i = 0; i < clients.Count; i++)
        {
            var before = clients[i];
            clients[i] = new HttpClient(Handler(trusted, settings)) { BaseAddress = before.BaseAddress, Timeout = before.Timeout };
            before.Dispose();
        }
    }

    private static SocketsHttpHandler Handler(X509Certificate2Collection trusted, Dictionary<string, string> settings)
    {
        var handler = new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) };
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(trusted);
        if (settings.GetValueOrDefault(Names.SslKeystoreLocation) is { Length: > 0 } store)
            handler.SslOptions.ClientCertificates =
            [
                X509CertificateLoader.LoadPkcs12FromFile(store, settings.GetValueOrDefault(Names.SslKeystorePassword)),
            ];
        if (
            int.TryParse(
                settings.GetValueOrDefault(Names.SchemaRegistryMaxConnectionsPerServer),
                CultureInfo.InvariantCulture,
                out var most
            )
        )
            handler.MaxConnectionsPerServer = most;
        return handler;
    }

    /// <summary>The client takes no handler. A later version without these fields fails here, and in the tests of TLS.</summary>
    private static List<HttpClient> Connections(CachedSchemaRegistryClient client) =>
        Field<List<HttpClient>>(Field<object>(client, "restService"), "clients");

    private static T Field<T>(object owner, string name) =>
        owner.GetType().GetField(name, BindingFlags.Instance | BindingFlags.NonPublic)?.GetValue(owner) is T value
            ? value
            : throw new NotSupportedException(
                $"{owner.GetType().FullName} has no field {name}: this version of Confluent's client is not known."
            );
}
