using System.Globalization;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Engine.Rows;

namespace Cdc.Reconcile.Comparing;

/// <summary>
/// What one side is asked for one entity, as text. Spans travel as $1 (low) and $2 (high), keys to leave out as $3. Each span is a range
/// plain scan of the primary key: a GROUP BY would sort or hash every row.
/// </summary>
internal sealed class SideSql
{
    // Where two columns hold the same value their hashes must not cancel out, and no value may move to another column or row unseen: each
    // column of each key has its own seed. Within a row the hashes are joined by XOR, rows by SUM (equal rows would cancel by XOR).
    private const long SeedStep = 1L << 40;

    private const string Row = "cdc_row";

    // Of a key that is known by a hash: computed once for each row of a statement, however many spans it has.
    private const string Hashed = "cdc_hashed";
    private const string HashedKey = "cdc_key";

    private readonly string _table;
    private readonly SourceKey _by;
    private readonly string _key;
    private readonly string _rowHash;
    private readonly string _filter;
    private readonly IReadOnlyList<string> _texts;

    /// <summary>Before each statement.</summary>
    private string With { get; init; } = "";

    public required Server Server { get; init; }

    public required EntityDeclaration Entity { get; init; }

    /// <param name="hasKeyColumn">Some column is the key itself: the row's hash needs no other.</param>
    private SideSql(
        string table,
        SourceKey key,
        IReadOnlyList<(Func<string, string> Hash, string Text)> columns,
        bool hasKeyColumn,
        string? since
    )
    {
        (_table, _by, _key) = (table, key, key.Number(Row));
        _rowHash = string.Join(
            " # ",
            columns.Select((c, i) => c.Hash(Seed(i + 1))).Prepend($"hashint8extended({_key}, {Seed(0)})").Skip(hasKeyColumn ? 1 : 0)
        );
        _texts = [.. columns.Select(c => c.Text)];
        _filter = since is null ? "" : $" AND {since}";
    }

    /// <param name="since">Only rows with a date at or after it; null: all.</param>
    public static SideSql Source(EntityDeclaration entity, IReadOnlyList<CanonicalColumn> columns, DateTimeOffset? since = null) =>
        new(
            entity.HashedKey is null ? entity.SourceRows : Hashed,
            entity.HashedKey is null ? entity.SourceKey : new SourceKey(HashedKey, null),
            [.. columns.Select(c => ((Func<string, string>)c.SourceHash, c.SourceText))],
            HasKeyColumn(entity),
            SinceFilter.Source(entity, since)
        )
        {
            With = entity.HashedKey is null ? "" : WithHashed(entity),
            Server = Server.Source,
            Entity = entity,
        };

    /// <param name="entities">To which those belong that the rows refer to, where some were born in the engine.</param>
    public static SideSql Engine(
        EntityDeclaration entity,
        IReadOnlyList<CanonicalColumn> columns,
        DateTimeOffset? since = null,
        EntitySet? entities = null
    ) =>
        new(
            // What Odoo last had of what the engine changed: only so are the two sides to be equal.
            BaseSql.OdoosRows(entity, entities),
            new SourceKey(entity.EngineKey, null),
            [.. columns.Select(c => ((Func<string, string>)c.EngineHash, c.EngineText))],
            HasKeyColumn(entity),
            SinceFilter.Engine(entity, since)
        )
        {
            Server = Server.Engine,
            Entity = entity,
        };

    /// <summary>For each span its place (from 1), rows, and the sum of the rows' hashes as text.</summary>
    public string Sums(bool leaveOut) =>
        With
        + $"""
            SELECT cdc_span.place, cdc_sum.rows, cdc_sum.hash
            FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS cdc_span(low, high, place),
            LATERAL (SELECT count(*) AS rows, coalesce(sum({_rowHash}), 0)::text AS hash FROM {_table} AS cdc_row WHERE {InSpan(
                leaveOut
            )}) AS cdc_sum
            """;

    /// <summary>Key and hash of every row of the spans.</summary>
    public string Hashes(bool leaveOut) =>
        With
        + $"""
            SELECT cdc_hash.key, cdc_hash.hash
            FROM unnest($1::bigint[], $2::bigint[]) AS cdc_span(low, high),
            LATERAL (SELECT {_key}::bigint AS key, {_rowHash} AS hash FROM {_table} AS cdc_row WHERE {InSpan(leaveOut)}) AS cdc_hash
            """;

    /// <summary>Key and values, as text, of the rows with the keys $1.</summary>
    public string Values =>
        $"{With}SELECT {_key}::bigint{string.Concat(_texts.Select(t => ", " + t))} FROM {_table} AS cdc_row WHERE {_by.IsIn("$1::bigint[]", Row)}";

    /// <summary>The same for one column (from 0), where some value cannot be computed.</summary>
    public string Value(int column) => $"{With}SELECT {_texts[column]} FROM {_table} AS cdc_row WHERE {_by.Is("$1", Row)}";

    /// <summary>Whether there is a row with key $1, whatever its values.</summary>
    public string Exists => $"{With}SELECT EXISTS (SELECT FROM {_table} AS cdc_row WHERE {_by.Is("$1", Row)})";

    public int Columns => _texts.Count;

    /// <summary>Rows of the spans.</summary>
    public string Count =>
        With
        + $"""
            SELECT coalesce(sum(cdc_sum.rows), 0)::bigint FROM unnest($1::bigint[], $2::bigint[]) AS cdc_span(low, high),
            LATERAL (SELECT count(*) AS rows FROM {_table} AS cdc_row WHERE {InSpan(leaveOut: false)}) AS cdc_sum
            """;

    /// <summary>The lowest key from $1 on and the highest key below $2; NULL where there is none.</summary>
    public string Ends => $"{With}SELECT ({Lowest}), ({Highest})";

    private string Lowest =>
        _by.IsPair
            ? $"SELECT {_key} FROM {_table} AS cdc_row WHERE {_by.From("$1", Row)} ORDER BY {_by.Order(Row)} LIMIT 1"
            : $"SELECT min({_key})::bigint FROM {_table} AS cdc_row WHERE {_by.From("$1", Row)}";

    private string Highest =>
        _by.IsPair
            ? $"SELECT {_key} FROM {_table} AS cdc_row WHERE {_by.Below("$2", Row)} ORDER BY {_by.OrderFalling(Row)} LIMIT 1"
            : $"SELECT max({_key})::bigint FROM {_table} AS cdc_row WHERE {_by.Below("$2", Row)}";

    /// <summary>Groups within each span.</summary>
    /// <param name="groups">The first so many columns.</param>
    public string Grouped(string by, IEnumerable<string> sums, int groups) =>
        With
        + $"""
            SELECT cdc_group.* FROM unnest($1::bigint[], $2::bigint[]) AS cdc_span(low, high),
            LATERAL (SELECT {by}, {string.Join(", ", sums)} FROM {_table} AS cdc_row WHERE {InSpan(leaveOut: true)} GROUP BY {string.Join(
                ", ",
                Enumerable.Range(1, groups)
            )}) AS cdc_group
            """;

    private string InSpan(bool leaveOut) =>
        $"{_by.From("cdc_span.low", Row)} AND {_by.Below("cdc_span.high", Row)}{(leaveOut ? $" AND NOT {_key} = ANY($3::bigint[])" : "")}{_filter}";

    private static string WithHashed(EntityDeclaration entity)
    {
        var columns = entity.SourceColumns.Select(c => Sql.Identifier(c.Name));
        return $"WITH {Hashed} AS MATERIALIZED (SELECT {string.Join(", ", columns)}, {entity.SourceKey.Number()} AS {HashedKey} FROM {entity.SourceRows}) ";
    }

    /// <summary>Of other keys than one integer no column is the key's number.</summary>
    private static bool HasKeyColumn(EntityDeclaration entity) => entity.HasId && entity.Columns.Any(c => c.Value == entity.Key.Name);

    private string Seed(int place) => string.Create(CultureInfo.InvariantCulture, $"{_key} + {place * SeedStep + 1}");
}
