using System.Text.Json;

namespace Cdc.Odoo.Calls;

/// <summary>What <c>load</c> has to say of a row.</summary>
/// <param name="Row">Its place in the table, from 0; −1: none.</param>
public sealed record LoadMessage(int Row, string? Field, bool IsError, string Text)
{
    internal static LoadMessage Read(JsonElement json) =>
        new(
            json.TryGetProperty("rows", out var rows) && rows.TryGetProperty("from", out var from) ? from.GetInt32() : -1,
            json.TryGetProperty("field", out var field) && field.ValueKind == JsonValueKind.String ? field.GetString() : null,
            !json.TryGetProperty("type", out var type) || type.GetString() != "warning",
            json.TryGetProperty("message", out var text) ? text.ToString() : ""
        );
}
