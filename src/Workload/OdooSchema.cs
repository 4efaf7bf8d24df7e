using Npgsql;

namespace Cdc.Workload;

/// <summary>The Odoo-shaped tables of schemas/odoo.</summary>
public static class OdooSchema
{
    private const string Folder = "odoo/";

    /// <summary>The SQL that creates the tables.</summary>
    public static string Sql { get; } = Read();

    /// <summary>The SQL that creates the tables of an Odoo: 16's, then what each upgrade since has changed.</summary>
    public static string Of(OdooVersion version) =>
        version switch
        {
            OdooVersion.Delivered => Sql,
            OdooVersion.Odoo16Points => Upgrade(OdooVersion.Odoo16) + Read("versions/16-points.sql"),
            _ => string.Concat(
                Enumerable.Range((int)OdooVersion.Odoo16, version - OdooVersion.Odoo16 + 1).Select(v => Upgrade((OdooVersion)v))
            ),
        };

    /// <summary>What an upgrade in place to this version, from the one before it, does to these tables.</summary>
    public static string Upgrade(OdooVersion version) => Read($"versions/{version.Name()}.sql");

    /// <summary>Beside those of any version: what cards, programs and histories name by its id, and the workload leaves alone.</summary>
    public static string Reference => Read("versions/reference.sql");

    /// <summary>Creates the tables in the search path's first schema; leaves them alone when loyalty_card is there.</summary>
    public static async Task CreateAsync(NpgsqlConnection connection, OdooVersion version, CancellationToken ct)
    {
        await using var existing = new NpgsqlCommand("SELECT to_regclass('loyalty_card') IS NOT NULL", connection);
        if (await existing.ExecuteScalarAsync(ct) is true)
            return;
        await using var create = new NpgsqlCommand(Of(version), connection);
        await create.ExecuteNonQueryAsync(ct);
    }

    private static string Read() =>
        string.Concat(
            typeof(OdooSchema)
                .Assembly.GetManifestResourceNames()
                .Where(name => name.StartsWith(Folder, StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .Select(Read)
        );

    private static string Read(string name)
    {
        using var reader = new StreamReader(typeof(OdooSchema).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
