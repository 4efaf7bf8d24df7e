using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;
using Cdc.Core.Changes;
using Cdc.Core.Entities;

namespace Cdc.Expressions.Rows;

/// <summary>
/// Turns a user's input into the value that Apply stores for it, by the declaration's own transform and rules: so a lookup finds what
/// was applied, whatever the declaration says. For many threads at once.
/// </summary>
public sealed class DeclaredLookup
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly EntityDeclaration _entity;
    private readonly int _column;
    private readonly TableSchema _schema;
    private readonly ConcurrentBag<Worker> _idle = [];

    /// <param name="column">Engine column of text.</param>
    /// <exception cref="ArgumentException">It is not computed from exactly one source column of text.</exception>
    public DeclaredLookup(EntityDeclaration entity, string column)
    {
        _entity = entity;
        _column = entity.Columns.ToList().FindIndex(c => c.Name == column);
        var worker = new Worker(entity);
        var inputs = _column < 0 ? [] : worker.Transform.InputSlots(_column);
        if (inputs is not [var slot] || entity.SourceColumns[slot].Type != SourceType.Text)
            throw new ArgumentException(
                $"{entity.Name}.{column} is not computed from exactly one source column of text, so rows cannot be looked up by it.",
                nameof(column)
            );
        _schema = new TableSchema(
            entity.Index,
            0,
            entity.SourceName,
            [new ColumnSchema(entity.SourceColumns[slot].Name, 0, IsKey: false)],
            [slot],
            entity.SourceColumns.Count,
            RowFormat.Copy
        );
        SourceColumn = entity.SourceColumns[slot];
        _idle.Add(worker);
    }

    /// <summary>The source column that the engine's is computed from.</summary>
    public SourceColumn SourceColumn { get; }

    /// <summary>The stored form; null if no row can have it.</summary>
    /// <param name="reason">Then the broken rule's name, such as <c>code-empty</c>, and what it says.</param>
    public string? TryNormalize(string value, out (string Name, string Message) reason)
    {
        reason = default;
        if (value.Contains('\0', StringComparison.Ordinal) || !TryEncode(value, out var bytes))
        {
            reason = ("not-text", "the text holds a character that PostgreSQL cannot store");
            return null;
        }
        if (!_idle.TryTake(out var worker))
            worker = new Worker(_entity);
        try
        {
            return Normalize(worker, bytes, out reason);
        }
        finally
        {
            _idle.Add(worker);
        }
    }

    private string? Normalize(Worker worker, byte[] bytes, out (string Name, string Message) reason)
    {
        var image = new byte[6 + bytes.Length];
        BinaryPrimitives.WriteInt16BigEndian(image, 1);
        BinaryPrimitives.WriteInt32BigEndian(image.AsSpan(2), bytes.Length);
        bytes.CopyTo(image, 6);
        worker.Row.Read(new RowImage(image, 0, image.Length), _schema);
        var verdict = worker.Transform.Check(worker.Row);
        reason = verdict.IsBroken ? worker.Transform.Describe(verdict) : default;
        if (verdict.IsBroken)
            return null;
        worker.Buffer.Reset();
        worker.Transform.TryWriteColumn(_column, worker.Row, worker.Buffer);
        return Encoding.UTF8.GetString(worker.Buffer.WrittenSpan[4..]);
    }

    private static bool TryEncode(string value, out byte[] bytes)
    {
        try
        {
            bytes = Strict.GetBytes(value);
            return true;
        }
        catch (EncoderFallbackException)
        {
            bytes = [];
            return false;
        }
    }

    /// <summary>A transform is for one thread at a time.</summary>
    private sealed class Worker(EntityDeclaration entity)
    {
        public RowTransform Transform { get; } = RowTransform.Compile(entity);
        public SourceRow Row { get; } = new(entity.SourceColumns.Count);
        public CopyBuffer Buffer { get; } = new(256);
    }
}
