using System.Text.Json;
using System.Text.Json.Serialization;
using Cdc.Core.Entities;

namespace Cdc.Core.Operations;

/// <summary>A row that could not be applied. Its JSON form is documented in docs/commands.md.</summary>
/// <param name="Position">generation:lsn:ordinal of the change.</param>
/// <param name="Reason">The rule's name, or a SQLSTATE.</param>
/// <param name="SourceRow">The source's values as JSON; null if they could not be kept.</param>
public sealed record QuarantineEntry(
    string Entity,
    [property: JsonConverter(typeof(KeyJsonConverter))] long Key,
    string Position,
    string Reason,
    string Detail,
    JsonElement? SourceRow,
    DateTimeOffset? CommitAt,
    DateTimeOffset FirstSeen,
    DateTimeOffset LastSeen,
    int Attempts,
    bool RetryRequested
);

/// <param name="Entity">Null: all entities.</param>
/// <param name="Keys">Empty: all keys.</param>
public sealed record QuarantineFilter(string? Entity, IReadOnlyList<long> Keys)
{
    public override string ToString() =>
        Entity is null ? "all entities"
        : Keys.Count == 0 ? $"all of {Entity}"
        : $"{Entity} {string.Join(", ", Keys.Select(KeyText.Of))}";
}
