using Cdc.Core.Changes;
using Cdc.Core.Postgres;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Apply.Rows;

/// <summary>Rows on their way to quarantine, each with its reason.</summary>
internal sealed class BrokenRows
{
    /// <summary>Of one batch, one line for each.</summary>
    private const int MostLogged = 10;

    private readonly List<(RowChange Change, string Reason, string Detail, string SourceRow)> _rows = [];

    public int Count => _rows.Count;

    public IEnumerable<long> Keys => _rows.Select(r => r.Change.Key);

    public void Add(RowChange change, string reason, string detail, string sourceRow) => _rows.Add((change, reason, detail, sourceRow));

    public void Clear() => _rows.Clear();

    /// <summary>Ids and reasons, never values. Where a whole table is broken, some of its rows say so.</summary>
    public void Log(ILogger log, string entity)
    {
        foreach (var (change, reason, _, _) in _rows.Take(MostLogged))
            ApplyLog.Quarantined(log, entity, change.Key, reason);
        if (_rows.Count > MostLogged)
            ApplyLog.QuarantinedMore(log, entity, _rows.Count - MostLogged);
    }

    /// <summary>$1 keys, $2 generations, $3 LSNs, $4 ordinals, $5 reasons, $6 details, $7 source rows, $8 commit times.</summary>
    /// <param name="encoding">Of the engine. It may lack characters of the row: that may be why the row is here.</param>
    public IEnumerable<NpgsqlParameter> Parameters(string encoding) =>
        [
            .. KeyPositions.Parameters([.. _rows.Select(r => r.Change)]),
            new() { Value = _rows.Select(r => r.Reason).ToArray() },
            new() { Value = _rows.Select(r => ServerEncoding.Shown(r.Detail, encoding)).ToArray() },
            new()
            {
                Value = _rows.Select(r => ServerEncoding.ShownJson(r.SourceRow, encoding)).ToArray(),
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb,
            },
            new()
            {
                Value = _rows.Select(r => PostgresTime.FromMicros(r.Change.CommitMicros)).ToArray(),
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz,
            },
        ];
}

/// <summary>Keys and positions of changes as array parameters.</summary>
internal static class KeyPositions
{
    /// <summary>$1 keys, $2 generations, $3 LSNs, $4 ordinals.</summary>
    public static IEnumerable<NpgsqlParameter> Parameters(IReadOnlyList<RowChange> changes) =>
        [
            new() { Value = changes.Select(c => c.Key).ToArray() },
            new() { Value = changes.Select(c => c.Position.Generation).ToArray() },
            // Npgsql writes no arrays of LSNs; the statement casts them.
            new() { Value = changes.Select(c => c.Position.CommitLsn.ToString()).ToArray() },
            new() { Value = changes.Select(c => c.Position.Ordinal).ToArray() },
        ];
}
