using System.Text.Json;

namespace Cdc.Odoo.Calls;

/// <summary>A record that was read. What has no value is <c>false</c> there, whatever its type.</summary>
public readonly record struct OdooRecord(JsonElement Json)
{
    public long Id => Json.GetProperty("id").GetInt64();

    public string? Text(string field) => Json.GetProperty(field) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    public bool Flag(string field) => Json.GetProperty(field).ValueKind == JsonValueKind.True;

    public double? Number(string field) => JsonNumber.Read(Json.GetProperty(field));

    /// <summary>Of a many2one: <c>[46, "Bob"]</c>, or the id alone.</summary>
    public long? Reference(string field) =>
        Json.GetProperty(field) switch
        {
            { ValueKind: JsonValueKind.Array } pair when pair.GetArrayLength() > 0 => pair[0].GetInt64(),
            { ValueKind: JsonValueKind.Number } id => id.GetInt64(),
            _ => null,
        };

    /// <summary>Of an x2many: ids.</summary>
    public IReadOnlyList<long> References(string field) =>
        Json.GetProperty(field) is { ValueKind: JsonValueKind.Array } ids ? [.. ids.EnumerateArray().Select(i => i.GetInt64())] : [];

    public DateTimeOffset? Moment(string field) => OdooText.ReadMoment(Text(field));

    public DateOnly? Day(string field) => OdooText.ReadDay(Text(field));
}
