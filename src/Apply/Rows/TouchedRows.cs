using System.Text;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Progress;
using Cdc.Expressions.Rows;

namespace Cdc.Apply.Rows;

/// <summary>
/// The rows of one entity that the open engine transaction touches, for its NOTIFY. Only so many as one notice holds are kept: beyond
/// that "everything" is announced, and a row more costs one comparison.
/// </summary>
internal sealed class TouchedRows(EntityDeclaration entity)
{
    private readonly int _column = entity.Columns.ToList().FindIndex(c => c.Name == entity.NotifyColumn);
    private readonly StringBuilder _notice = new();
    private readonly CopyBuffer _value = new(256);
    private bool _everything;

    public bool IsFull => _everything;

    public static string ChannelOf(EntityDeclaration entity) => ChangeNotice.Channel(entity.Name);

    public void Clear()
    {
        _notice.Clear();
        _everything = false;
    }

    public void AddEverything() => _everything = true;

    public void Add(long key) => Add(key, null);

    public void Add(long key, RowTransform transform, SourceRow row)
    {
        _value.Reset();
        var known = transform.TryWriteColumn(_column, row, _value) && _value.Length > 4;
        Add(key, known ? ChangeNotice.Hash(_value.WrittenSpan[4..]) : null);
    }

    /// <summary>What to announce; null: nothing was touched.</summary>
    public (string Channel, string Notice)? Notice =>
        _everything ? (ChannelOf(entity), ChangeNotice.Everything)
        : _notice.Length > 0 ? (ChannelOf(entity), _notice.ToString())
        : null;

    private void Add(long key, uint? hash)
    {
        if (_everything)
            return;
        ChangeNotice.Append(_notice, key, hash);
        _everything = _notice.Length > ChangeNotice.MaxLength - 32;
    }
}
