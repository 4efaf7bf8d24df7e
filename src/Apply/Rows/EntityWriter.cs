using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Engine.Progress;
using Cdc.Engine.Rows;
using Cdc.Engine.Tables;
using Cdc.Expressions.Rows;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Cdc.Apply.Rows;

/// <summary>
/// Writes the folded changes of one entity inside the engine transaction that its connection has open: deletes, then whole rows, then rows
/// with unknown columns, then quarantine. Whole rows go through a staging table, or straight in where their keys are new.
/// </summary>
internal sealed class EntityWriter
{
    private readonly EntityDeclaration _entity;
    private readonly RowTransform _transform;
    private readonly NpgsqlConnection _connection;
    private readonly EntryIndex _entries;
    private readonly KeyHighWater _highest;
    private readonly ILogger _log;
    private readonly UpsertSql _allOdoos;
    private readonly UpsertSql _withOwners;
    private readonly StageTable _stage;
    private readonly StageTable _holesStage;
    private readonly RowVersions? _versions;
    private readonly FoldedRowReader _reader;
    private readonly SourceRow _row;
    private readonly CopyRows _staged = new();
    private readonly CopyRows _direct = new();
    private readonly CopyRows _holes = new();
    private readonly BrokenRows _broken = new();
    private readonly TouchedRows? _touched;
    private readonly List<RowChange> _deletes = [];
    private UpsertSql _sql;
    private bool _meetsEntries;
    private bool _onlyUpdates;
    private bool _engineOwns;

    /// <param name="transform">Of the entity.</param>
    public EntityWriter(
        EntitySet entities,
        RowTransform transform,
        NpgsqlConnection connection,
        EntryIndex entries,
        KeyHighWater highest,
        ILogger log
    )
    {
        var entity = transform.Entity;
        (_entity, _transform, _connection, _entries, _highest, _log) = (entity, transform, connection, entries, highest, log);
        _touched = entity.NotifyColumn is null ? null : new TouchedRows(entity);
        _allOdoos = new UpsertSql(entity);
        _withOwners = entity.Reverse is null ? _allOdoos : UpsertSql.WithOwners(entity, entities);
        (_sql, _reader) = (_allOdoos, new FoldedRowReader(entity));
        _row = _reader.Row;
        (_stage, _holesStage) = (
            new StageTable(_sql.Stage, _sql.CreateStage, connection),
            new StageTable(_sql.Holes, _sql.CreateHoles, connection)
        );
        _versions = entity.Reverse is null ? null : new RowVersions(transform, _withOwners, connection);
        Few = new FewRows(_allOdoos, transform, _reader, entries, _touched);
        EmptyRange = new EmptyRangeCopy(transform, _sql.CopyTable, connection, entries, highest, _touched);
    }

    /// <summary>Index of the entity in the declaration.</summary>
    public int Entity => _entity.Index;

    public UpsertSql Sql => _sql;

    /// <summary>For chunks in whose range the engine has no row.</summary>
    public EmptyRangeCopy EmptyRange { get; }

    /// <summary>For a few rows that are committed at once.</summary>
    public FewRows Few { get; }

    public int Quarantined { get; private set; }

    /// <summary>What the open transaction has to announce when it commits; null: nothing.</summary>
    public (string Channel, string Notice)? Notice => _touched?.Notice;

    /// <param name="engineOwns">The engine owns rows, and this transaction keeps it so: statements look at owners.</param>
    public void TransactionBegins(bool engineOwns)
    {
        _touched?.Clear();
        (_engineOwns, _sql) = (engineOwns, engineOwns ? _withOwners : _allOdoos);
    }

    public async Task PrepareAsync(CancellationToken ct)
    {
        await _stage.CreateAsync(ct);
        await _holesStage.CreateAsync(ct);
        if (_versions is not null)
            await _versions.PrepareAsync(ct);
    }

    /// <param name="sortedKeys">The keys to write, ascending.</param>
    /// <param name="straight">Which whole rows may be copied without staging.</param>
    public async Task WriteAsync(
        IReadOnlyDictionary<long, FoldedRow> rows,
        ReadOnlyMemory<long> sortedKeys,
        StraightCopy straight,
        CancellationToken ct
    )
    {
        Clear();
        await EncodeAsync(rows, sortedKeys, straight, ct);
        if (_versions is { Count: > 0 })
        {
            await _versions.SendAsync(ct);
            await ExecuteAsync([.. _sql.Name(_sql.Versions), .. _sql.Conflicts], [], ct);
        }
        if (_deletes.Count > 0)
            await ExecuteAsync(_sql.Delete(_meetsEntries), [.. KeyPositions.Parameters(_deletes)], ct);
        if (_staged.Count > 0)
            await UpsertAsync(ct);
        if (_direct.Count > 0)
            await _direct.SendAsync(_connection, _sql.CopyTable, ct);
        if (_holes.Count > 0)
            await FillHolesAsync(ct);
        if (_versions is { Count: > 0 })
        {
            await ExecuteAsync(_sql.Echoes, [], ct);
            await _versions.EmptyAsync(ct);
        }
        if (_broken.Count > 0)
            await QuarantineAsync(ct);
        Written(sortedKeys.Span);
        // Now, and not when the next batch has been gathered beside it.
        foreach (var written in (CopyRows[])[_staged, _direct, _holes])
            written.Clear();
        _versions?.Clear();
    }

    /// <summary>
    /// Writes down which keys are met, before their rows are written. Only of keys that are known by a hash (<see cref="KeyHash"/>).
    /// </summary>
    /// <returns>A number that is known as another key's: nothing of the entity may be written; null: there is none.</returns>
    public Task<long?> MistakenKeyAsync(IReadOnlyDictionary<long, FoldedRow> rows, long[] sortedKeys, CancellationToken ct)
    {
        byte[][] spelled = [.. sortedKeys.Select(key => (rows[key].Write ?? rows[key].Delete)!.SpelledKey!)];
        return SourceKeyTable.RecordAsync(_connection, _entity.Name, sortedKeys, spelled, ct);
    }

    /// <summary>The engine may have these keys now.</summary>
    public void Written(ReadOnlySpan<long> sortedKeys)
    {
        if (sortedKeys.Length > 0)
            _highest.Raise(_entity.Index, sortedKeys[^1]);
    }

    /// <summary>Puts one row into quarantine for what the engine said of it.</summary>
    public async Task QuarantineAsync(FoldedRow row, PostgresException e, CancellationToken ct)
    {
        if (row.Write is not { } change)
            throw e;
        Clear();
        _touched?.Add(change.Key);
        if (row.Delete is { } delete)
            await ExecuteAsync(_sql.Delete(entries: true), [.. KeyPositions.Parameters([delete])], ct);
        _reader.Read(row);
        _broken.Add(
            change,
            e.SqlState,
            e.ConstraintName is { } constraint ? $"{e.MessageText} ({constraint})" : e.MessageText,
            _transform.SourceJson(_row)
        );
        await QuarantineAsync(ct);
    }

    public async Task TruncateAsync(ChangePosition position, CancellationToken ct)
    {
        _touched?.AddEverything();
        await ExecuteAsync(_sql.Truncate, PositionParameters(position), ct);
    }

    public static NpgsqlParameter[] PositionParameters(ChangePosition position) =>
        [new() { Value = position.Generation }, Statements.Parameter(position.CommitLsn), new() { Value = position.Ordinal }];

    private void Clear()
    {
        _staged.Clear();
        _direct.Clear();
        _holes.Clear();
        _broken.Clear();
        _deletes.Clear();
        _versions?.Clear();
        (_meetsEntries, _onlyUpdates, Quarantined) = (false, true, 0);
    }

    /// <summary>What is to be staged is sent while the rest is encoded: the engine takes it in meanwhile.</summary>
    private async Task EncodeAsync(
        IReadOnlyDictionary<long, FoldedRow> rows,
        ReadOnlyMemory<long> keys,
        StraightCopy straight,
        CancellationToken ct
    )
    {
        for (var next = 0; next < keys.Length; )
        {
            next += EncodeSome(rows, keys.Span[next..], straight);
            if (_staged.HasMuchToSend)
                await _staged.SendAheadAsync(_connection, _sql.CopyStage, ct);
        }
        if (_staged.Count > 0)
            await _staged.SendAsync(_connection, _sql.CopyStage, ct);
    }

    /// <summary>Returns how many of the keys were encoded: all of them, or until much is to be sent.</summary>
    private int EncodeSome(IReadOnlyDictionary<long, FoldedRow> rows, ReadOnlySpan<long> keys, StraightCopy straight)
    {
        var highest = _highest.Of(_entity.Index);
        var anyEntries = _entries.Any(_entity.Name);
        for (var i = 0; i < keys.Length; i++)
        {
            if (_staged.HasMuchToSend)
                return i;
            var key = keys[i];
            var row = rows[key];
            var hasEntry = anyEntries && _entries.Contains(_entity.Name, key);
            _meetsEntries |= hasEntry;
            if (row.Delete is { } delete)
                _deletes.Add(delete);
            if (_engineOwns)
                _versions?.Add(row);
            if (row.Write is not { } write)
            {
                _touched?.Add(key);
                continue;
            }
            _reader.Read(row);
            if (_touched is { IsFull: false })
                _touched.Add(key, _transform, _row);
            var isNew =
                row.Delete is null
                && !hasEntry
                && !CountsUpdates(row)
                && straight == StraightCopy.NewKeys
                && key > highest
                && !_sql.KnowsNewborns;
            EncodeRow(row, write, isNew);
        }
        return keys.Length;
    }

    /// <summary>A row copied straight in begins with no update counted.</summary>
    private bool CountsUpdates(in FoldedRow row) => _entity.HasSyncVersion && row.Updates > 0;

    private void EncodeRow(in FoldedRow row, RowChange write, bool isNew)
    {
        var verdict = _transform.Check(_row);
        if (_row.IsPartial)
            EncodeHole(row, write, verdict.IsOk);
        else if (verdict.IsBroken)
            Break(write, verdict);
        else if (isNew)
            EncodeColumns(_direct.Row(_entity.Columns.Count + 5), write);
        else
        {
            _onlyUpdates &= row.Kind == RowChangeKind.Update && row.Delete is null;
            var buffer = _staged.Row(_entity.Columns.Count + 6);
            EncodeColumns(buffer, write);
            buffer.WriteInt32Field(row.Updates);
        }
    }

    private void Break(RowChange write, RowVerdict verdict)
    {
        var (reason, detail) = _transform.Describe(verdict);
        _broken.Add(write, reason, detail, _transform.SourceJson(_row));
    }

    /// <summary>A partial row that breaks a rule, or may, is read again as a whole: that reading decides.</summary>
    private void EncodeHole(in FoldedRow row, RowChange write, bool passed)
    {
        var buffer = _holes.Row(_entity.Columns.Count + 8);
        EncodeColumns(buffer, write);
        buffer.WriteInt32Field(row.Updates);
        buffer.WriteInt64Field(passed ? (long)_transform.UnknownColumns(_row) : -1);
        buffer.WriteBooleanField(row.Kind == RowChangeKind.Rekey);
    }

    private void EncodeColumns(CopyBuffer buffer, RowChange write)
    {
        buffer.WriteInt64Field(write.Key);
        _transform.WriteColumns(_row, buffer);
        CopyRows.PositionFields(buffer, write.Position, write.CommitMicros);
    }

    private async Task UpsertAsync(CancellationToken ct)
    {
        await ExecuteAsync(_sql.Name(_sql.Stage), [], ct);
        if (!_onlyUpdates || _meetsEntries || await ExecuteAsync([_sql.Update], [], ct) != _staged.Count)
            await ExecuteAsync(_sql.Upsert(_meetsEntries), [], ct);
        await _stage.EmptyAsync(_staged.Count, ct);
    }

    private async Task FillHolesAsync(CancellationToken ct)
    {
        await _holes.SendAsync(_connection, _sql.CopyHoles, ct);
        await ExecuteAsync([.. _sql.Name(_sql.Holes), .. _sql.FillHoles], [], ct);
        await using (var command = new NpgsqlCommand(_sql.RemainingHoles, _connection))
        await using (var reader = await command.ExecuteReaderAsync(ct))
            while (await reader.ReadAsync(ct))
                _entries.Add(_entity.Name, reader.GetInt64(0));
        await _holesStage.EmptyAsync(_holes.Count, ct);
    }

    private async Task QuarantineAsync(CancellationToken ct)
    {
        Quarantined = _broken.Count;
        await ExecuteAsync(_sql.QuarantineRows, [.. _broken.Parameters(ServerEncoding.Of(_connection.PostgresParameters))], ct);
        foreach (var key in _broken.Keys)
            _entries.Add(_entity.Name, key);
        _broken.Log(_log, _entity.Name);
    }

    private async Task<int> ExecuteAsync(IReadOnlyList<string> statements, NpgsqlParameter[] parameters, CancellationToken ct)
    {
        if (statements.Count == 0)
            return 0;
        await using var batch = new NpgsqlBatch(_connection);
        foreach (var statement in statements)
        {
            var command = new NpgsqlBatchCommand(statement);
            foreach (var parameter in parameters)
                command.Parameters.Add(parameter.Clone());
            batch.BatchCommands.Add(command);
        }
        await batch.PrepareAsync(ct);
        return await batch.ExecuteNonQueryAsync(ct);
    }
}

/// <summary>Which whole rows are copied into the table without staging.</summary>
internal enum StraightCopy
{
    None,

    /// <summary>Keys above the highest that the engine may have.</summary>
    NewKeys,
}
