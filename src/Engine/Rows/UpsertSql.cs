using Cdc.Core.Entities;
using Cdc.Core.Postgres;

namespace Cdc.Engine.Rows;

/// <summary>
/// The SQL that writes one entity, as text. Staged rows carry the key, the engine's columns in declaration order, their position and the
/// number of source UPDATEs. "Older loses" is a row comparison of positions in every statement.
/// </summary>
public sealed class UpsertSql(EntityDeclaration entity)
{
    private const long FirstEngineId = EntityDeclaration.FirstEngineId;

    private const string PositionColumns = "source_generation, source_lsn, source_ordinal";
    private const string StagedPosition = "s.source_generation, s.source_lsn, s.source_ordinal";
    private const string RowPosition = "t.source_generation, t.source_lsn, t.source_ordinal";
    private const string EntryPosition = "e.generation, e.lsn, e.ordinal";

    private const string SetPosition =
        "source_generation = s.source_generation, source_lsn = s.source_lsn, source_ordinal = s.source_ordinal, source_commit_at = s.source_commit_at";

    private readonly string _key = Sql.Identifier(entity.EngineKey);
    private readonly string _name = Sql.Literal(entity.Name);
    private readonly string[] _columns = [.. entity.Columns.Select(c => Sql.Identifier(c.Name))];

    /// <summary>Null: all rows are Odoo's.</summary>
    private OwnerSql? _owner;

    private ConflictSql? _conflicts;
    private NewbornSql? _newborn;

    /// <summary>Where the engine owns rows of the entity.</summary>
    public static UpsertSql WithOwners(EntityDeclaration entity, EntitySet entities) =>
        OwnerSql.Of(entity, entities) is { } owner
            ? new(entity)
            {
                _owner = owner,
                _conflicts = new ConflictSql(entity, owner),
                _newborn = NewbornSql.Of(entity, entities),
            }
            : new(entity);

    public string Stage { get; } = Sql.Identifier("stage_" + entity.Name);
    public string Holes { get; } = Sql.Identifier("holes_" + entity.Name);
    public string Versions { get; } = Sql.Identifier("versions_" + entity.Name);

    public string CreateStage => $"CREATE TEMP TABLE {Stage} ({StagedColumns}, updates integer)";

    /// <summary>Staged rows of which some columns are unknown: a bit for each of them, and whether the key is new to the row.</summary>
    public string CreateHoles => $"CREATE TEMP TABLE {Holes} ({StagedColumns}, updates integer, unknown bigint, rekeyed boolean)";

    /// <summary>Every version of rows that the engine may own: what Odoo changed of it is looked for in each.</summary>
    public string CreateVersions => $"CREATE TEMP TABLE {Versions} ({StagedColumns}, unknown bigint)";

    public string CopyVersions => $"COPY {Versions} FROM STDIN (FORMAT BINARY)";

    public string CopyStage => $"COPY {Stage} FROM STDIN (FORMAT BINARY)";

    public string CopyHoles => $"COPY {Holes} FROM STDIN (FORMAT BINARY)";

    public string CopyTable =>
        $"COPY {entity.EngineName} ({_key}, {List(_columns)}, {PositionColumns}, source_commit_at) FROM STDIN (FORMAT BINARY)";

    public string MaxKey => $"SELECT coalesce(max({_key}), {long.MinValue}) FROM {entity.EngineName} WHERE {_key} < {FirstEngineId}";

    /// <summary>
    /// Staged rows whose keys should all be there. Without the speculative lookup and the row lock of ON CONFLICT; where it finds fewer rows
    /// than are staged, <see cref="Upsert"/> does the rest, since what was updated is not older any more.
    /// </summary>
    public string Update
    {
        get
        {
            var sets = Sets("s").Append(SetPosition).Concat(entity.HasSyncVersion ? ["sync_version = t.sync_version + s.updates"] : []);
            return $"UPDATE {entity.EngineName} t SET {List(sets)} FROM {Stage} s WHERE t.{_key} = s.key AND ({RowPosition}) < ({StagedPosition})";
        }
    }

    /// <summary>Before anything is written, for staged versions. Empty where the engine owns nothing.</summary>
    public IReadOnlyList<string> Conflicts => _conflicts?.Statements ?? [];

    /// <summary>Rows may come back that were born in the engine: none goes straight in.</summary>
    public bool KnowsNewborns => _newborn is not null;

    /// <summary>Gives staged rows that were born in the engine its keys. Empty where nothing names them.</summary>
    public IReadOnlyList<string> Name(string staged) => [.. _newborn?.Name(staged) ?? []];

    /// <summary>After the rows are written, for the same versions: what they say of own changes, and of those that refer to them.</summary>
    public IReadOnlyList<string> Echoes
    {
        get
        {
            if (_owner is null)
                return [];
            var isNumbered = entity.Reverse!.Number is not null;
            return
            [
                .. isNumbered ? [SyncLogSql.Echoes(entity, Versions)] : Array.Empty<string>(),
                .. isNumbered && _owner.Absolute.Count > 0 ? [SyncLogSql.Again(entity, _owner.Absolute, Versions)] : Array.Empty<string>(),
                .. _newborn?.Repoint(Versions) ?? [],
            ];
        }
    }

    /// <summary>Staged rows to the table. A row read in a chunk (negative ordinal) counts as an update only if it differs.</summary>
    /// <param name="entries">Some staged key has a quarantine or re-read entry: it is compared too, and closed by a newer row.</param>
    public IReadOnlyList<string> Upsert(bool entries) =>
        entries
            ? [UpsertFrom($"{Stage} s WHERE {NoEntryAbove}"), CloseEntries("quarantine", Stage), CloseEntries("rereads", Stage)]
            : [UpsertFrom($"{Stage} s")];

    /// <summary>
    /// The same without staging, of rows that are arrays, a parameter each: what a staged row carries, in its order. Without entries.
    /// </summary>
    public string UpsertArrays
    {
        get
        {
            var arrays = ElementTypes.Select((type, i) => $"${i + 1}::{type.ArrayName}");
            return UpsertFrom($"unnest({List(arrays)}) s(key, {List(_columns)}, {PositionColumns}, source_commit_at, updates)");
        }
    }

    /// <summary>Types of the elements of <see cref="UpsertArrays"/>'s parameters.</summary>
    public IReadOnlyList<BuiltInType> ElementTypes =>
        [
            BuiltInType.Int8,
            .. entity.Columns.Select(c => BuiltInType.Of(SqlTypeName.Parse(c.Type)!.Value)),
            BuiltInType.Int4,
            BuiltInType.PgLsn,
            BuiltInType.Int8,
            BuiltInType.TimestampTz,
            BuiltInType.Int4,
        ];

    /// <param name="rows">What follows FROM: the rows as <c>s</c>.</param>
    private string UpsertFrom(string rows)
    {
        var sync = entity.HasSyncVersion ? ", sync_version" : "";
        var differs = _owner is null
            ? $"(({List(_columns.Select(c => "t." + c))}) IS DISTINCT FROM ({List(_columns.Select(c => "EXCLUDED." + c))}))::integer"
            : $"({_owner.Differs(c => $"EXCLUDED.{Sql.Identifier(c.Name)}")})::integer";
        var sets = Sets("EXCLUDED")
            .Concat([
                "source_generation = EXCLUDED.source_generation",
                "source_lsn = EXCLUDED.source_lsn",
                "source_ordinal = EXCLUDED.source_ordinal",
                "source_commit_at = EXCLUDED.source_commit_at",
            ])
            .Concat(
                entity.HasSyncVersion
                    ?
                    [
                        $"sync_version = t.sync_version + CASE WHEN EXCLUDED.source_ordinal < 0 THEN {differs} ELSE EXCLUDED.sync_version END",
                    ]
                    : []
            );
        return $"""
            INSERT INTO {entity.EngineName} AS t ({_key}, {List(_columns)}, {PositionColumns}, source_commit_at{sync})
            SELECT s.key, {List(_columns.Select(c => "s." + c))}, {StagedPosition}, s.source_commit_at{(
                entity.HasSyncVersion ? ", s.updates" : ""
            )}
            FROM {rows}
            ON CONFLICT ({_key}) DO UPDATE SET {List(sets)}
            WHERE ({RowPosition}) < (EXCLUDED.source_generation, EXCLUDED.source_lsn, EXCLUDED.source_ordinal)
            """;
    }

    /// <summary>Keys in $1 with positions in $2 (generation), $3 (LSN), $4 (ordinal): the rows go, unless they are newer.</summary>
    public IReadOnlyList<string> Delete(bool entries)
    {
        const string Keys =
            "unnest($1::bigint[], $2::integer[], $3::text[]::pg_lsn[], $4::bigint[]) s(key, source_generation, source_lsn, source_ordinal)";
        var older = $"t.{_key} = s.key AND ({RowPosition}) < ({StagedPosition})";
        var keys = _newborn?.Renamed(Keys) ?? Keys;
        IReadOnlyList<string> delete =
        [
            .. _owner?.Gone(keys, older, ("s.source_generation", "s.source_lsn", "s.source_ordinal")) ?? [],
            $"DELETE FROM {entity.EngineName} t USING {keys} WHERE {older}{NotKept}",
        ];
        return entries ? [.. delete, CloseEntries("quarantine", Keys), CloseEntries("rereads", Keys)] : delete;
    }

    /// <summary>TRUNCATE at the position $1, $2, $3. Not the SQL command: rows of a chunk that is newer stay, and readers keep their snapshot.</summary>
    public IReadOnlyList<string> Truncate =>
        [
            .. _owner?.Gone(null, TruncatedRows, ("$1::integer", "$2::pg_lsn", "$3::bigint")) ?? [],
            $"DELETE FROM {entity.EngineName} t WHERE {TruncatedRows}{NotKept}",
            $"DELETE FROM cdc.quarantine e WHERE e.entity = {_name} AND ({EntryPosition}) < ($1::integer, $2::pg_lsn, $3::bigint)",
            $"DELETE FROM cdc.rereads e WHERE e.entity = {_name} AND ({EntryPosition}) < ($1::integer, $2::pg_lsn, $3::bigint)",
            $"""
                INSERT INTO cdc.floors AS f (entity, generation, lsn, ordinal) VALUES ({_name}, $1::integer, $2::pg_lsn, $3::bigint)
                ON CONFLICT (entity) DO UPDATE SET generation = EXCLUDED.generation, lsn = EXCLUDED.lsn, ordinal = EXCLUDED.ordinal
                WHERE (f.generation, f.lsn, f.ordinal) < (EXCLUDED.generation, EXCLUDED.lsn, EXCLUDED.ordinal)
                """,
        ];

    /// <summary>
    /// Rows with unknown columns. Where the engine's row is whole (not below what cdc.tables says, without entries) the unknown columns are
    /// what it has. Where it is not, the known columns are applied only if the row exists, and the key is to be read again.
    /// </summary>
    public IReadOnlyList<string> FillHoles
    {
        get
        {
            var kept = _owner is null
                ? _columns.Select((c, i) => $"{c} = CASE WHEN s.unknown & {1L << i} <> 0 THEN t.{c} ELSE s.{c} END")
                : _owner.Sets(HoleValue, "s");
            var sync = entity.HasSyncVersion ? ", sync_version = t.sync_version + s.updates" : "";
            var older = $"t.{_key} = s.key AND ({RowPosition}) < ({StagedPosition})";
            return
            [
                $"DELETE FROM {Holes} s USING {entity.EngineName} t WHERE t.{_key} = s.key AND ({RowPosition}) >= ({StagedPosition})",
                $"DELETE FROM {Holes} s WHERE NOT ({NoEntryAbove})",
                $"""
                    WITH whole AS (
                        UPDATE {entity.EngineName} t SET {List(kept)}, {SetPosition}{sync} FROM {Holes} s
                        WHERE {older} AND NOT s.rekeyed AND s.unknown >= 0 AND (t.source_generation, t.source_lsn) >= (SELECT w.whole_generation, w.whole_lsn FROM cdc.tables w WHERE w.entity = {_name})
                          AND NOT EXISTS (SELECT FROM cdc.rereads e WHERE e.entity = {_name} AND e.key = {EntryKey})
                          AND NOT EXISTS (SELECT FROM cdc.quarantine e WHERE e.entity = {_name} AND e.key = {EntryKey})
                        RETURNING s.key)
                    DELETE FROM {Holes} s USING whole WHERE s.key = whole.key
                    """,
                $"UPDATE {entity.EngineName} t SET {List(kept)}, {SetPosition}{sync} FROM {Holes} s WHERE {older} AND s.unknown >= 0",
                $"""
                    INSERT INTO cdc.rereads AS e (entity, key, generation, lsn, ordinal) SELECT {_name}, {EntryKey}, {StagedPosition} FROM {Holes} s
                    ON CONFLICT (entity, key) DO UPDATE SET generation = EXCLUDED.generation, lsn = EXCLUDED.lsn, ordinal = EXCLUDED.ordinal
                    """,
            ];
        }
    }

    /// <summary>The keys that <see cref="FillHoles"/> could not fill: each has an entry now.</summary>
    public string RemainingHoles => $"SELECT {EntryKey} FROM {Holes} s";

    /// <summary>
    /// Broken rows to quarantine: $1 keys, $2 generations, $3 LSNs, $4 ordinals, $5 reasons, $6 details, $7 source rows, $8 commit times.
    /// The engine keeps the row it had.
    /// </summary>
    public IReadOnlyList<string> QuarantineRows
    {
        get
        {
            const string Rows = """
                unnest($1::bigint[], $2::integer[], $3::text[]::pg_lsn[], $4::bigint[], $5::text[], $6::text[], $7::jsonb[], $8::timestamptz[])
                s(key, source_generation, source_lsn, source_ordinal, reason, detail, source_row, commit_at)
                """;
            return
            [
                CloseEntries("rereads", Rows),
                $"""
                    INSERT INTO cdc.quarantine AS q (entity, key, generation, lsn, ordinal, reason, detail, source_row, commit_at)
                    SELECT {_name}, s.key, {StagedPosition}, s.reason, s.detail, s.source_row, s.commit_at FROM {Rows}
                    WHERE NOT EXISTS (SELECT FROM {entity.EngineName} t WHERE t.{_key} = s.key AND ({RowPosition}) >= ({StagedPosition}))
                      AND NOT EXISTS (SELECT FROM cdc.rereads e WHERE e.entity = {_name} AND e.key = s.key AND ({EntryPosition}) >= ({StagedPosition}))
                    ON CONFLICT (entity, key) DO UPDATE SET generation = EXCLUDED.generation, lsn = EXCLUDED.lsn, ordinal = EXCLUDED.ordinal,
                        reason = EXCLUDED.reason, detail = EXCLUDED.detail, source_row = EXCLUDED.source_row, commit_at = EXCLUDED.commit_at,
                        last_seen = now(), attempts = q.attempts + 1, retry_requested = false
                    WHERE (q.generation, q.lsn, q.ordinal) < (EXCLUDED.generation, EXCLUDED.lsn, EXCLUDED.ordinal)
                    """,
            ];
        }
    }

    /// <summary>True if the engine has any row in the range $1 to $2: then a load cannot be copied straight in.</summary>
    public string HasRows =>
        $"SELECT EXISTS (SELECT FROM {entity.EngineName} WHERE ($1::bigint IS NULL OR {_key} >= $1) AND ($2::bigint IS NULL OR {_key} < $2) AND {_key} < {FirstEngineId}){(_newborn is null ? "" : $" OR {_newborn.Any}")}";

    private string TruncatedRows => $"t.{_key} < {FirstEngineId} AND ({RowPosition}) < ($1::integer, $2::pg_lsn, $3::bigint)";

    /// <summary>Of rows that are deleted.</summary>
    private string NotKept => _owner is null ? "" : $" AND NOT ({_owner.Keeps})";

    private string StagedColumns =>
        $"key bigint, {List(entity.Columns.Select(c => $"{Sql.Identifier(c.Name)} {c.Type}"))}, source_generation integer, source_lsn pg_lsn, source_ordinal bigint, source_commit_at timestamptz";

    private string NoEntryAbove =>
        $"NOT EXISTS (SELECT FROM cdc.quarantine e WHERE e.entity = {_name} AND e.key = {EntryKey} AND ({EntryPosition}) >= ({StagedPosition})) "
        + $"AND NOT EXISTS (SELECT FROM cdc.rereads e WHERE e.entity = {_name} AND e.key = {EntryKey} AND ({EntryPosition}) >= ({StagedPosition}))";

    /// <param name="odoos">Alias of Odoo's row.</param>
    private IEnumerable<string> Sets(string odoos) =>
        _owner is null ? _columns.Select(c => $"{c} = {odoos}.{c}") : _owner.Sets(c => $"{odoos}.{Sql.Identifier(c.Name)}", odoos);

    /// <summary>Where it is not known, Odoo has what it had.</summary>
    private string HoleValue(EngineColumn column)
    {
        var place = entity.Columns.ToList().IndexOf(column);
        return $"(CASE WHEN s.unknown & {1L << place} <> 0 THEN {BaseSql.OdooValue(column, "t")} ELSE s.{Sql.Identifier(column.Name)} END)";
    }

    /// <summary>Entries are kept under Odoo's key; in deletes, and in what was not born in the engine, it is the key.</summary>
    private string EntryKey => _newborn?.OdooId is { } id ? $"s.{id}" : "s.key";

    private string CloseEntries(string table, string from) =>
        $"DELETE FROM cdc.{table} e USING {from}{(from == Stage ? " s" : "")} WHERE e.entity = {_name} AND e.key = {(from == Stage ? EntryKey : "s.key")} AND ({EntryPosition}) < ({StagedPosition})";

    private static string List(IEnumerable<string> parts) => string.Join(", ", parts);
}
