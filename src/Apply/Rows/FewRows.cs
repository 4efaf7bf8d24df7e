using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Engine.Rows;
using Cdc.Expressions.Rows;
using Npgsql;

namespace Cdc.Apply.Rows;

/// <summary>
/// A few rows of one entity in one statement, as one array a column: without a staging table, so that they travel with their checkpoint in
/// one round trip. For whole rows that nothing is known of; what else there is goes the way of <see cref="EntityWriter"/>.
/// </summary>
internal sealed class FewRows
{
    private readonly EntityDeclaration _entity;
    private readonly RowTransform _transform;
    private readonly FoldedRowReader _reader;
    private readonly EntryIndex _entries;
    private readonly TouchedRows? _touched;
    private readonly CopyBuffer _fields = new();
    private readonly BinaryArray[] _columns;
    private readonly NpgsqlBatchCommand _command;

    public FewRows(UpsertSql sql, RowTransform transform, FoldedRowReader reader, EntryIndex entries, TouchedRows? touched)
    {
        (_entity, _transform, _reader, _entries, _touched) = (transform.Entity, transform, reader, entries, touched);
        var types = sql.ElementTypes;
        _columns = [.. types.Select(t => new BinaryArray(t.Oid))];
        _command = new NpgsqlBatchCommand(sql.UpsertArrays);
        for (var i = 0; i < types.Count; i++)
            _command.Parameters.Add(new NpgsqlParameter<BinaryArray> { TypedValue = _columns[i], DataTypeName = types[i].ArrayName });
    }

    /// <summary>The statement that writes what was gathered.</summary>
    public NpgsqlBatchCommand Command => _command;

    /// <summary>
    /// The engine refuses as arrays what it takes when it is staged, such as changes of rows with an owner's column that must have a value: an
    /// INSERT is checked before it is found that the row is there. It would be so at every commit.
    /// </summary>
    public bool IsRefused { get; set; }

    /// <summary>False: these keys go another way. Known before any row is read.</summary>
    public bool MayTake(ReadOnlySpan<long> sortedKeys)
    {
        if (sortedKeys.IsEmpty)
            return true;
        // Keys that are known by a hash must be compared with those that were met, before anything is written.
        if (IsRefused || _entity.HashedKey is not null)
            return false;
        if (_entries.Any(_entity.Name))
            foreach (var key in sortedKeys)
                if (_entries.Contains(_entity.Name, key))
                    return false;
        return true;
    }

    /// <summary>False: some row needs more than to be put where it is newer.</summary>
    /// <param name="rows">None of them deleted.</param>
    /// <param name="sortedKeys">The keys to write, ascending.</param>
    public bool TryGather(IReadOnlyDictionary<long, FoldedRow> rows, ReadOnlySpan<long> sortedKeys)
    {
        foreach (var column in _columns)
            column.Clear();
        foreach (var key in sortedKeys)
            if (!TryGather(rows[key]))
                return false;
        return true;
    }

    private bool TryGather(in FoldedRow row)
    {
        _reader.Read(row);
        if (_reader.Row.IsPartial || _transform.Check(_reader.Row).IsBroken)
            return false;
        if (_touched is { IsFull: false })
            _touched.Add(row.Write!.Key, _transform, _reader.Row);
        _fields.Reset();
        _fields.WriteInt64Field(row.Write!.Key);
        _transform.WriteColumns(_reader.Row, _fields);
        CopyRows.PositionFields(_fields, row.Write.Position, row.Write.CommitMicros);
        _fields.WriteInt32Field(row.Updates);
        var fields = _fields.WrittenSpan;
        foreach (var column in _columns)
            fields = column.Add(fields);
        return true;
    }
}
