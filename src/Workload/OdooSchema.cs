using Npgsql;

namespace Cdc.Workload;

/// <summary>The Odoo-shaped tables of schemas/odoo.</summary>
public static class OdooSchema
{
    private const string Folder = "odoo/";

    /// <summary>The SQL that creates the tables.</summary>
    public static string Sql { get; } = Read();

    /// <summary>Creates the tables in the search path's first schema; leaves them alone when loyalty_card is there.</summary>
    public static async Task CreateAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var existing = new NpgsqlCommand("SELECT to_regclass('loyalty_card') IS NOT NULL", connection);
        if (await existing.ExecuteScalarAsync(ct) is true)
            return;
        await using var create = new NpgsqlCommand(Sql, connection);
        await create.ExecuteNonQueryAsync(ct);
    }

    private static string Read()
    {
        var assembly = typeof(OdooSchema).Assembly;
        return string.Concat(
            assembly
                .GetManifestResourceNames()
                .Where(name => name.StartsWith(Folder, StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .Select(name =>
                {
                    using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
                    return reader.ReadToEnd();
                })
        );
    }
}
