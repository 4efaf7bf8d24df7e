using System.Text.Json;
using Cdc.Odoo.Calls;
using Cdc.Odoo.Failures;

namespace Cdc.Odoo.Ways;

/// <summary>What the user of the calls may do with a model, as Odoo's own web client asks it.</summary>
internal sealed class ModelRights(OdooClient client)
{
    /// <param name="operations">Of read, write, create, unlink.</param>
    /// <returns>Those that are missing; null: Odoo does not say.</returns>
    public async Task<IReadOnlyList<string>?> MissingAsync(string model, IReadOnlyList<string> operations, CancellationToken ct)
    {
        List<string> missing = [];
        foreach (var operation in operations)
            switch (await HasAsync(model, operation, ct))
            {
                case null:
                    return null;
                case false:
                    missing.Add(operation);
                    break;
            }
        return missing;
    }

    private async Task<bool?> HasAsync(string model, string operation, CancellationToken ct)
    {
        try
        {
            return await client.CallAsync(Question(model, operation), ct) switch
            {
                { ValueKind: JsonValueKind.True } => true,
                { ValueKind: JsonValueKind.False } => false,
                _ => null,
            };
        }
        catch (OdooException e) when (e.Code == "odoo-access")
        {
            return false;
        }
        catch (OdooException e) when (e.Code == "odoo-call")
        {
            return null;
        }
    }

    /// <summary>18 renamed it, and asks records, of which none are named here.</summary>
    private OdooCall Question(string model, string operation) =>
        client.Version.Major >= 18
            ? new(model, "has_access")
            {
                Ids = [],
                Placed = [new("operation", operation)],
                Context = client.Quiet(),
                MayBeRepeated = true,
            }
            : new(model, "check_access_rights")
            {
                Placed = [new("operation", operation), new("raise_exception", false)],
                Context = client.Quiet(),
                MayBeRepeated = true,
            };
}
