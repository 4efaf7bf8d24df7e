using Cdc.Core.Changes;
using Cdc.Engine.Rows;
using Cdc.Expressions.Rows;
using Npgsql;

namespace Cdc.Apply.Rows;

/// <summary>
/// Every version of the rows of a flush, oldest first, staged: what Odoo changed of what the engine owns is looked for in each, also where
/// Odoo has written over it since. A version that breaks a rule is left out, as it is nowhere applied.
/// </summary>
internal sealed class RowVersions(RowTransform transform, UpsertSql sql, NpgsqlConnection connection)
{
    private readonly StageTable _stage = new(sql.Versions, sql.CreateVersions, connection);
    private readonly CopyRows _rows = new();
    private readonly List<RowChange> _changes = [];
    private SourceRow _row = new(transform.Entity.SourceColumns.Count);
    private SourceRow _before = new(transform.Entity.SourceColumns.Count);

    public int Count => _rows.Count;

    public Task PrepareAsync(CancellationToken ct) => _stage.CreateAsync(ct);

    public void Clear() => _rows.Clear();

    public void Add(in FoldedRow row)
    {
        _changes.Clear();
        if (row.Write is { } newest)
            _changes.Add(newest);
        for (var older = row.Versions; older is not null; older = older.Next)
            _changes.Add(older.Change);
        for (var i = _changes.Count - 1; i >= 0; i--)
            Add(_changes[i], isFirst: i == _changes.Count - 1);
    }

    public Task SendAsync(CancellationToken ct) => _rows.SendAsync(connection, sql.CopyVersions, ct);

    public Task EmptyAsync(CancellationToken ct) => _stage.EmptyAsync(_rows.Count, ct);

    private void Add(RowChange change, bool isFirst)
    {
        (_row, _before) = (_before, _row);
        FoldedRowReader.ReadChange(_row, change);
        // With its key changed it was another row's.
        if (_row.IsPartial && !isFirst && change.Kind == RowChangeKind.Update)
            _row.FillUnknownFrom(_before);
        if (transform.Check(_row).IsBroken)
            return;
        var buffer = _rows.Row(transform.Entity.Columns.Count + 6);
        buffer.WriteInt64Field(change.Key);
        transform.WriteColumns(_row, buffer);
        CopyRows.PositionFields(buffer, change.Position, change.CommitMicros);
        buffer.WriteInt64Field((long)transform.UnknownColumns(_row));
    }
}
