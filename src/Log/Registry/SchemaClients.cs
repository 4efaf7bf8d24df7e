using Npgsql;

namespace Cdc.Log.Registry;

/// <summary>The schema registry that the configuration names.</summary>
public static class SchemaClients
{
    /// <param name="engine">Keeps the built-in registry, which is used where no URL is configured.</param>
    /// <exception cref="Core.Failures.CdcException">Configuration: the certificates cannot be read, or a setting is unknown or
    /// refused.</exception>
    public static ISchemaClient For(RegistryOptions options, NpgsqlDataSource engine) =>
        new KnownSchemas(options.Url.Length > 0 ? new ConfluentSchemaClient(options) : new TableSchemaClient(new RegistryTable(engine)));
}
