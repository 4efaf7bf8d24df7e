using Cdc.Core.Failures;

namespace Cdc.Odoo.Transport;

/// <summary>The key of the calls. From a file it is read for each of them, so that a new one counts at once.</summary>
internal static class OdooKey
{
    public static async Task<string> ReadAsync(OdooOptions options, CancellationToken ct)
    {
        var key = options.KeyFile.Length == 0 ? options.Key : await FromFileAsync(options.KeyFile, ct);
        return key.Length > 0 && !key.Any(char.IsControl) ? key : throw Missing("Odoo:Key is missing.");
    }

    private static async Task<string> FromFileAsync(string file, CancellationToken ct)
    {
        try
        {
            return (await File.ReadAllTextAsync(file, ct)).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Missing($"The file of Odoo:KeyFile cannot be read: {e.Message}");
        }
    }

    private static CdcException Missing(string message) =>
        new(FailureKind.Configuration, message, "Put an API key of Odoo into Odoo:Key, or into a file that Odoo:KeyFile names.");
}
