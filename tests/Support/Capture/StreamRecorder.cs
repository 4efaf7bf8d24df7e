using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Cdc.Capture.Stream;
using Cdc.Core.Changes;
using Cdc.Core.Entities;

namespace Cdc.Tests.Support.Capture;

/// <summary>Writes down what a stream says, one line an event, and keeps the events.</summary>
public sealed class StreamRecorder(EntitySet entities) : IStreamSink
{
    private readonly List<string> _lines = [];

    /// <summary>Such as <c>update card 1@0 id=1 code=A</c>: entity, key, ordinal, values.</summary>
    public IReadOnlyList<string> Lines => _lines;

    public List<ChangeEvent> Events { get; } = [];

    public List<SourceTransaction> Transactions { get; } = [];

    public List<(string Prefix, Lsn Lsn)> Messages { get; } = [];

    /// <summary>Without BEGIN and COMMIT.</summary>
    public IReadOnlyList<string> Changes => [.. _lines.Where(l => l != "begin" && !l.StartsWith("commit", StringComparison.Ordinal))];

    public void Begin(SourceTransaction transaction)
    {
        Transactions.Add(transaction);
        _lines.Add("begin");
    }

    public void Row(RowChange change)
    {
        Events.Add(change);
        var line = $"{change.Kind} {entities[change.Schema.Entity].Name} {change.Key}@{change.Position.Ordinal}".ToLowerInvariant();
        if (!change.Image.IsEmpty)
            line += Values(change.Schema, change.Image);
        if (!change.Before.IsEmpty)
            line += " before" + Values(change.Schema, change.Before);
        _lines.Add(line);
    }

    public void Truncate(TruncateChange change)
    {
        Events.Add(change);
        _lines.Add($"truncate {string.Join(',', change.Entities.Select(e => entities[e].Name))}@{change.Position.Ordinal}");
    }

    public void Commit(CommitChange change)
    {
        Events.Add(change);
        _lines.Add($"commit {change.Last.Ordinal}");
    }

    public void TableState(TableStateChange change)
    {
        Events.Add(change);
        var entity = entities[change.Entity].Name;
        _lines.Add(
            change.StopReason is null
                ? $"resume {entity}@{change.Position.Ordinal}"
                : $"stop {entity}@{change.Position.Ordinal}: {change.StopReason}"
        );
    }

    public void Message(string prefix, ReadOnlySpan<byte> content, Lsn lsn)
    {
        Messages.Add((prefix, lsn));
        _lines.Add($"message {prefix} {Encoding.UTF8.GetString(content)}");
    }

    private string Values(TableSchema schema, in RowImage image)
    {
        var row = new SourceRow(schema.Slots);
        row.Read(image, schema);
        return string.Concat(entities[schema.Entity].SourceColumns.Select(c => $" {c.Name}={Value(row, c)}"));
    }

    private static string Value(SourceRow row, SourceColumn column) =>
        row.StateOf(column.Slot) switch
        {
            ColumnState.Value => Text(column.Type, row.BytesOf(column.Slot)),
            var state => $"<{state.ToString().ToLowerInvariant()}>",
        };

    private static string Text(SourceType type, ReadOnlySpan<byte> bytes) =>
        type switch
        {
            SourceType.Integer => (
                bytes.Length == 8 ? BinaryPrimitives.ReadInt64BigEndian(bytes) : BinaryPrimitives.ReadInt32BigEndian(bytes)
            ).ToString(CultureInfo.InvariantCulture),
            SourceType.Float => BinaryPrimitives.ReadDoubleBigEndian(bytes).ToString(CultureInfo.InvariantCulture),
            SourceType.Text => bytes.Length <= 40 ? Encoding.UTF8.GetString(bytes) : $"({bytes.Length} bytes)",
            _ => Convert.ToHexStringLower(bytes),
        };
}
