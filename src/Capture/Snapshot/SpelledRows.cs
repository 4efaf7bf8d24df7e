using System.Buffers.Binary;
using Cdc.Core.Changes;
using Cdc.Core.Entities;

namespace Cdc.Capture.Snapshot;

/// <summary>The keys of a chunk's rows, which are known by a hash and come in the order of their numbers: two of one number meet.</summary>
/// <param name="columns">Those of the key, which stand first in each row.</param>
internal sealed class SpelledRows(EntityDeclaration entity, IReadOnlyList<SourceColumn> columns)
{
    private readonly KeySpelling _spelling = new(columns);
    private readonly List<byte[]> _keys = [];
    private long _last = long.MinValue;

    public IReadOnlyList<byte[]> Keys => _keys;

    /// <returns>The key's number.</returns>
    /// <exception cref="HashedKeyException">The row before it has the same one.</exception>
    public long Add(RowImage image)
    {
        var bytes = image.Span[sizeof(short)..];
        _spelling.Begin();
        for (var i = 0; i < columns.Count; i++)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(bytes);
            if (length < 0)
                throw new UnreadableTableException($"A row of {entity.SourceName} has no {columns[i].Name}, which is of its key.");
            _spelling.Add(bytes.Slice(sizeof(int), length), isText: false);
            bytes = bytes[(sizeof(int) + length)..];
        }
        var spelled = _spelling.End();
        var number = KeyHash.Number(spelled);
        if (number == _last)
            throw HashedKeyException.Collision(entity, number);
        _last = number;
        _keys.Add(spelled);
        return number;
    }

    /// <summary>The row is not of the chunk any more.</summary>
    public void RemoveLast() => _keys.RemoveAt(_keys.Count - 1);
}
