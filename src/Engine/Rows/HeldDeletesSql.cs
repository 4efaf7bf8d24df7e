using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Engine.Tables;

namespace Cdc.Engine.Rows;

/// <summary>
/// The SQL of what a reading did not see, of one entity, as text. It is held first: only when all of a table is read is it known how much
/// it is. Held keys stay right however long they wait, because they carry the reading's place: what the stream or a later reading writes is
/// newer and stays, and what the stream deletes is gone already.
/// </summary>
/// <param name="owes">Those who read the topics must be told: what is deleted is written down.</param>
/// <param name="owner">Where the engine owns rows; null: all of them are Odoo's.</param>
internal sealed class HeldDeletesSql(EntityDeclaration entity, bool owes, OwnerSql? owner = null)
{
    private const long FirstEngineId = EntityDeclaration.FirstEngineId;

    private const string RowPosition = "t.source_generation, t.source_lsn, t.source_ordinal";
    private const string EntryPosition = "e.generation, e.lsn, e.ordinal";
    private const string HeldPosition = "h.generation, h.lsn, h.ordinal";
    private const string First = "($5::integer, $6::pg_lsn, $7::bigint)";

    private readonly string _key = Sql.Identifier(entity.EngineKey);
    private readonly string _name = Sql.Literal(entity.Name);

    /// <summary>
    /// Keys that the chunk $8 covers ($1 from, $2 to or $3 keys), did not drop ($4) and has not seen at or above its first position ($5, $6,
    /// $7): they no longer exist in the source. Dropped keys are left alone, since the chunk does not know them.
    /// </summary>
    /// <param name="rows">False: only entries without a row; no row of the range can be older.</param>
    public string Hold(bool byKeys, bool rows)
    {
        string Where(string key, string position) =>
            (byKeys ? $"{key} = ANY($3::bigint[])" : $"($1::bigint IS NULL OR {key} >= $1) AND ($2::bigint IS NULL OR {key} < $2)")
            + $" AND {key} < {FirstEngineId} AND NOT {key} = ANY($4::bigint[]) AND ({position}) < {First}";
        var gone = ((string[])["quarantine", "rereads"]).Select(table =>
            $"SELECT e.key FROM cdc.{table} e WHERE e.entity = {_name} AND {Where("e.key", EntryPosition)}"
        );
        if (rows)
            gone = gone.Prepend(
                $"SELECT t.{_key} FROM {entity.EngineName} t WHERE {Where("t." + _key, RowPosition)} AND {NoEntryFrom("t." + _key, First)}"
            );
        return $"""
            INSERT INTO cdc.held_deletes AS h (entity, key, generation, lsn, ordinal, chunk)
            SELECT {_name}, gone.key, $5::integer, $6::pg_lsn, $7::bigint, $8::bigint FROM ({string.Join(" UNION ", gone)}) gone(key)
            ON CONFLICT (entity, key) DO UPDATE SET generation = EXCLUDED.generation, lsn = EXCLUDED.lsn, ordinal = EXCLUDED.ordinal, chunk = EXCLUDED.chunk
            WHERE ({HeldPosition}) < (EXCLUDED.generation, EXCLUDED.lsn, EXCLUDED.ordinal)
            """;
    }

    /// <summary>How many held keys still have a row or an entry that is older, and how many of these a request in progress allows.</summary>
    public string Count =>
        $"""
            SELECT count(*), count(*) FILTER (WHERE EXISTS ({AllowedBy}))
            FROM cdc.held_deletes h WHERE h.entity = {_name} AND (
                EXISTS (SELECT FROM {entity.EngineName} t WHERE t.{_key} = h.key AND {IsGone})
                OR EXISTS (SELECT FROM cdc.quarantine e WHERE {IsOlderEntry}) OR EXISTS (SELECT FROM cdc.rereads e WHERE {IsOlderEntry}))
            """;

    /// <summary>Rows that came from the source.</summary>
    public string RowCount => $"SELECT count(*) FROM {entity.EngineName} t WHERE t.{_key} < {FirstEngineId}";

    /// <summary>Of the held rows those that the engine keeps, before the others are deleted. Empty where it owns nothing.</summary>
    public IReadOnlyList<string> KeepRows =>
        owner?.Gone("cdc.held_deletes h", $"h.entity = {_name} AND t.{_key} = h.key AND {IsGone}", ("h.generation", "h.lsn", "h.ordinal"))
        ?? [];

    /// <summary>Deletes the held rows, counted at their chunks; returns how many.</summary>
    public string DeleteRows =>
        $"""
            WITH gone AS (DELETE FROM {entity.EngineName} t USING cdc.held_deletes h WHERE h.entity = {_name} AND t.{_key} = h.key AND {IsGone}{(owner is null ? "" : $" AND NOT ({owner.Keeps})")} RETURNING h.chunk, h.key),
                 counted AS (UPDATE cdc.chunks c SET swept = c.swept + g.rows FROM (SELECT chunk, count(*) AS rows FROM gone GROUP BY chunk) g WHERE c.id = g.chunk){(
                owes ? $",\n     owed AS ({OwedTable.Owe(_name, "gone")})" : ""
            )}
            SELECT count(*) FROM gone
            """;

    /// <summary>And their entries.</summary>
    public IReadOnlyList<string> DeleteEntries =>
        [
            .. ((string[])["quarantine", "rereads"])
                .Select(table => $"DELETE FROM cdc.{table} e USING cdc.held_deletes h WHERE h.entity = {_name} AND {IsOlderEntry}")
                .Select(delete => owes ? $"WITH gone AS ({delete} RETURNING e.key) {OwedTable.Owe(_name, "gone")}" : delete),
        ];

    /// <summary>A person has allowed it for a range that has the key.</summary>
    private string AllowedBy =>
        $"SELECT FROM cdc.requests r WHERE r.entity = {_name} AND r.state = 'accepted' AND r.allow_deletes IS NOT NULL "
        + "AND (r.from_key IS NULL OR h.key >= r.from_key) AND (r.to_key IS NULL OR h.key < r.to_key)";

    private string IsGone =>
        $"t.{_key} < {FirstEngineId} AND ({RowPosition}) < ({HeldPosition}) AND {NoEntryFrom("h.key", $"({HeldPosition})")}";

    private string IsOlderEntry => $"e.entity = {_name} AND e.key = h.key AND ({EntryPosition}) < ({HeldPosition})";

    /// <summary>A row that came at or above the position, though it could not be applied.</summary>
    private string NoEntryFrom(string key, string position) =>
        $"NOT EXISTS (SELECT FROM cdc.quarantine e WHERE e.entity = {_name} AND e.key = {key} AND ({EntryPosition}) >= {position}) "
        + $"AND NOT EXISTS (SELECT FROM cdc.rereads e WHERE e.entity = {_name} AND e.key = {key} AND ({EntryPosition}) >= {position})";
}
