using System.Text.Json.Serialization;
using Cdc.Api.Balances;
using Cdc.Api.Engine;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Api.Operations;

/// <summary>cdc.drift, by pages.</summary>
internal sealed class DriftTable(EngineReads engine)
{
    /// <summary>Cursors of other lists belong to cards and partners, which have positive ids.</summary>
    public const long CursorOwner = -1;

    private const string PageSql = """
        SELECT id, entity, key, kind, field, odoo_value, engine_value, first_seen, first_run, last_seen, last_run, resolved_at
        FROM cdc.drift WHERE id < $1 AND ($2 OR resolved_at IS NULL) AND ($3 IS NULL OR entity = $3) ORDER BY id DESC LIMIT $4
        """;

    /// <param name="resolved">Also those that a later run did not find any more.</param>
    public Task<DriftPage> ReadAsync(string? entity, bool resolved, PageRequest page, bool withValues, CancellationToken ct) =>
        engine.UseAsync(
            async connection =>
            {
                var items = await connection
                    .Statement(
                        PageSql,
                        page.After?.Key ?? long.MaxValue,
                        resolved,
                        new NpgsqlParameter { Value = (object?)entity ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
                        // One more, to know whether it is the last page.
                        page.Limit + 1
                    )
                    .RowsAsync(row => Read(row, withValues), ct);
                var more = items.Count > page.Limit;
                if (more)
                    items.RemoveAt(page.Limit);
                return new DriftPage(items, more ? new Cursor(CursorOwner, null, items[^1].Id).ToString() : null);
            },
            ct
        );

    private static DriftItem Read(NpgsqlDataReader row, bool withValues) =>
        new(
            row.GetInt64(0),
            row.GetString(1),
            row.GetInt64(2),
            row.GetString(3),
            row.GetString(4),
            withValues && !row.IsDBNull(5) ? row.GetString(5) : null,
            withValues && !row.IsDBNull(6) ? row.GetString(6) : null,
            row.GetFieldValue<DateTimeOffset>(7),
            row.GetInt64(8),
            row.GetFieldValue<DateTimeOffset>(9),
            row.GetInt64(10),
            row.IsDBNull(11) ? null : row.GetFieldValue<DateTimeOffset>(11)
        );
}

/// <param name="Kind">missing, extra, differing.</param>
/// <param name="Field">The engine's column, or * for a row that one side does not have.</param>
/// <param name="ResolvedAt">A later run did not find it any more.</param>
internal sealed record DriftItem(
    long Id,
    string Entity,
    [property: JsonConverter(typeof(KeyJsonConverter))] long Key,
    string Kind,
    string Field,
    string? OdooValue,
    string? EngineValue,
    DateTimeOffset FirstSeen,
    long FirstRun,
    DateTimeOffset LastSeen,
    long LastRun,
    DateTimeOffset? ResolvedAt
);

/// <param name="NextCursor">Null: there is no older one.</param>
internal sealed record DriftPage(IReadOnlyList<DriftItem> Items, string? NextCursor);
