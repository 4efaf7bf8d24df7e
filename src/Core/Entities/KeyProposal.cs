using System.Text.Encodings.Web;
using System.Text.Json;
using Cdc.Core.Postgres;

namespace Cdc.Core.Entities;

/// <summary>How a table's primary key is declared.</summary>
public static class KeyProposal
{
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="key">Names and types of its columns, in their order.</param>
    /// <returns>JSON, such as <c>["a", "b"]</c>; null: a table with that key cannot be followed.</returns>
    public static string? Of(IReadOnlyList<(string Name, uint TypeOid)> key) =>
        key switch
        {
            [] => null,
            [var (name, type)] when SourceTypes.CanRead(SourceType.Integer, type) => Text(name),
            [_, _] when key.All(c => c.TypeOid is TypeOids.Int2 or TypeOids.Int4) => List(key),
            _ when key.All(c => SourceTypes.DeclaredAs(c.TypeOid) is { } declared && KeySpelling.Takes(declared)) =>
                $"{{ \"hash\": {List(key)} }}",
            _ => null,
        };

    private static string List(IReadOnlyList<(string Name, uint TypeOid)> key) => $"[{string.Join(", ", key.Select(c => Text(c.Name)))}]";

    private static string Text(string value) => JsonSerializer.Serialize(value, Readable);
}
