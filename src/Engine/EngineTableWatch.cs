using System.Globalization;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Engine.Requests;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Cdc.Engine;

/// <summary>
/// Notices that somebody changed a declared table of the engine while this process runs: a column that was dropped and added back has no
/// values, one whose type was changed has rounded ones, and a table that was made anew has no rows. Nothing that comes by the stream brings
/// them, so all of it is asked for again, once every declared column is there. One for all sessions of a worker: a change also ends the
/// session in which it is made.
/// </summary>
public sealed partial class EngineTableWatch(EntitySet entities, ILogger log)
{
    /// <summary>Columns that the engine's owner has besides are no matter of ours.</summary>
    private const string ColumnsSql = """
        SELECT d.place, a.attrelid::bigint, a.attname::text, a.attnum, a.atttypid::bigint, a.atttypmod
        FROM unnest($1::text[]) WITH ORDINALITY d(engine_table, place)
        JOIN pg_attribute a ON a.attrelid = to_regclass(d.engine_table) AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY d.place, a.attnum
        """;

    /// <summary>By entity, its table as it was whole; null: it was not seen yet.</summary>
    private readonly string?[] _whole = new string?[entities.Count];

    public EntitySet Entities => entities;

    /// <summary>Compares, and asks for what has to be read again.</summary>
    /// <param name="engine">The pulse's: it notices an engine that does not answer.</param>
    public async Task LookAsync(NpgsqlConnection engine, CancellationToken ct)
    {
        var command = engine.Statement(ColumnsSql, (object)entities.All.Select(e => e.EngineName).ToArray());
        var columns = await command.RowsAsync(
            row => (Entity: (int)row.GetInt64(0) - 1, Table: row.GetInt64(1), Name: row.GetString(2), Shape: Shape(row)),
            ct
        );
        var found = columns.ToLookup(c => c.Entity);
        foreach (var entity in entities.All)
        {
            var wanted = entity.Columns.Select(c => c.Name).Append(entity.EngineKey).ToHashSet();
            var declared = found[entity.Index].Where(c => wanted.Contains(c.Name)).ToList();
            // Until all of it is there nothing can be written to it.
            if (declared.Count < wanted.Count)
                continue;
            var now = $"{declared[0].Table}:{string.Join(',', declared.Select(c => c.Shape))}";
            if (
                _whole[entity.Index] is { } before
                && before != now
                && await SnapshotRequests.AskOnceAsync(engine, entity.Name, ct) is { } id
            )
                Changed(log, entity.EngineName, id);
            _whole[entity.Index] = now;
        }
    }

    private static string Shape(NpgsqlDataReader row) =>
        string.Create(CultureInfo.InvariantCulture, $"{row.GetString(2)}:{row.GetInt16(3)}:{row.GetInt64(4)}:{row.GetInt32(5)}");

    [LoggerMessage(
        124,
        LogLevel.Warning,
        "Somebody changed the engine's table {Table}: it is read again from Odoo (request {Request}), since its rows may lack values"
    )]
    private static partial void Changed(ILogger log, string table, long request);
}
