using Cdc.Api.Engine;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Engine.Rows;
using Cdc.Engine.Status;
using Cdc.Expressions.Rows;

namespace Cdc.Api.Balances;

/// <summary>
/// Cards with all that says how much they are worth, in one statement and so in one snapshot. Each has at least one row: what the engine
/// says of itself is answered even where there is no card.
/// </summary>
/// <param name="zone">In which a day ends.</param>
/// <param name="expanded">With names of program and partner, behind all other columns.</param>
internal sealed class CardSql(ServedCards served, DeclaredLookup lookup, string zone, bool expanded = false)
{
    /// <summary>Columns before those of <see cref="EngineMomentSql"/>.</summary>
    public const int MomentColumn = 29;

    /// <summary>The first that only an expanded one has.</summary>
    public const int ExpandedColumn = MomentColumn + 6;

    private readonly EntityDeclaration _card = served.Card;
    private readonly string _code = "c." + Sql.Identifier(served.Column);
    private readonly string _name = Sql.Literal(served.Card.Name);
    private readonly string _key = Sql.Identifier(served.Card.EngineKey);

    /// <summary>$1: normalised code.</summary>
    public string ByCode =>
        field ??= Statement("(SELECT 1::bigint AS place, $1::text AS code, NULL::bigint AS key) w", $"{_code} = w.code");

    /// <summary>$1: normalised codes, without repetition.</summary>
    public string ByCodes =>
        field ??= Statement(
            "(SELECT u.place, u.code, NULL::bigint AS key FROM unnest($1::text[]) WITH ORDINALITY u(code, place)) w",
            $"{_code} = w.code"
        );

    /// <summary>$1: Odoo's id.</summary>
    public string ByOdooId =>
        field ??= Statement("(SELECT 1::bigint AS place, NULL::text AS code, $1::bigint AS key) w", $"c.{_key} = w.key");

    /// <summary>$1: Odoo's id of a card that was born in the engine.</summary>
    public string ByLateOdooId =>
        field ??= Statement(
            "(SELECT 1::bigint AS place, NULL::text AS code, NULL::bigint AS key) w",
            $"c.{_key} >= {EntityDeclaration.FirstEngineId} AND {OdooId} = $1::integer"
        );

    /// <summary>$1: partner, $2: key after which to begin, $3: how many.</summary>
    public string ByPartner =>
        field ??= Statement(
            "(SELECT 1::bigint AS place, NULL::text AS code, NULL::bigint AS key) w",
            "true",
            $"LATERAL (SELECT * FROM {_card.EngineName} WHERE {Sql.Identifier(_card.ServedColumn("partner")!)} = $1::bigint AND {_key} > $2::bigint ORDER BY {_key} LIMIT "
                + "$3::integer)"
        );

    /// <summary>The reason of a card in quarantine that the engine has no row of, by the source's own code. $1: normalised code.</summary>
    public string QuarantinedCode
    {
        get
        {
            var source = Sql.Identifier(lookup.SourceColumn.Name);
            var value = _card.Columns.First(c => c.Name == _card.NotifyColumn).Value;
            return $"""
                SELECT reason FROM (SELECT reason, key, source_row ->> {Sql.Literal(
                    lookup.SourceColumn.Name
                )} AS {source} FROM {RowStateSql.QuarantineOf(_name)}) q
                WHERE {value} = $1::text AND NOT EXISTS (SELECT FROM {_card.EngineName} c WHERE c.{_key} = q.key) LIMIT 1
                """;
        }
    }

    /// <summary>Where the declaration has no column for it, the key says it of all cards that were not born in the engine.</summary>
    private string OdooId =>
        _card.Columns.FirstOrDefault(c => c.Value == _card.Key.Name) is { } column
            ? $"c.{Sql.Identifier(column.Name)}"
            : $"(CASE WHEN c.{_key} < {EntityDeclaration.FirstEngineId} THEN c.{_key}::integer END)";

    private string Statement(string wanted, string join, string? cards = null) =>
        $"""
            SELECT w.place, c.{_key}, {OdooId}, {Part("program", "bigint")}, {Part("partner", "bigint")}, {Part(
                "company",
                "bigint"
            )}, {Part("code", "text")},
                   {Points}, {Time(_card, "c", "created")}, {Time(_card, "c", "updated")}, {(
                _card.HasSyncVersion ? "c.sync_version" : "0::bigint"
            )},
                   c.source_generation, c.source_lsn, c.source_ordinal, {RepresentableTime.Of(
                "c.source_commit_at"
            )}, q.reason, r.key IS NOT NULL,
                   (c.source_generation, c.source_lsn) < (t.whole_generation, t.whole_lsn) AND {RowStateSql.IsToBeRead(_name, $"c.{_key}")},
                   {_code}, {Part("active", "boolean")}, {Day(_card, "c", "expires")}, {Part("warning", "text")}, {Program}, {(
                served.Sum is null ? "NULL::date" : Today
            )},
                   {EngineMomentSql.Columns}{(expanded ? Expansion : "")}
            FROM {EngineMomentSql.From(_name)}
            CROSS JOIN {wanted}
            LEFT JOIN {cards ?? _card.EngineName} c ON {join}{ProgramJoin}{(expanded ? PartnerJoin : "")}
            LEFT JOIN {RowStateSql.QuarantineEntry("q", _name, $"coalesce(c.{_key}, w.key)")}
            LEFT JOIN {RowStateSql.RereadEntry("r", _name, $"c.{_key}")}
            ORDER BY w.place, c.{_key}
            """;

    private string Today => $"(now() AT TIME ZONE {Sql.Literal(zone)})::date";

    private string Points =>
        served.Sum is { } sum
            ? $"(SELECT round(coalesce(sum(a.{AggregateDeclaration.SumColumn}), 0), {Scale(sum)})::text FROM {sum.Name} a "
                + $"WHERE a.{Sql.Identifier(sum.By)} = c.{_key} AND a.{AggregateDeclaration.DayColumn} >= {Today})"
            : Part("points", "text");

    private int Scale(AggregateDeclaration sum) =>
        SqlTypeName.Parse(served.History!.Columns.First(c => c.Name == sum.Sum).Type)!.Value.Scale;

    private string ProgramJoin =>
        served.Program is { } program && _card.ServedColumn("program") is { } id
            ? $" LEFT JOIN {program.EngineName} p ON p.{Sql.Identifier(program.EngineKey)} = c.{Sql.Identifier(id)}"
            : "";

    private string PartnerJoin =>
        served.Partner is { } partner && _card.ServedColumn("partner") is { } id
            ? $" LEFT JOIN {partner.EngineName} a ON a.{Sql.Identifier(partner.EngineKey)} = c.{Sql.Identifier(id)}"
            : "";

    private string Expansion =>
        (
            ProgramJoin.Length > 0
                ? $", p.{Sql.Identifier(served.Program!.EngineKey)}, {Part(served.Program, "p", "name", "text")}, {Part(served.Program, "p", "type", "text")}"
                : ", NULL::bigint, NULL::text, NULL::text"
        )
        + (
            PartnerJoin.Length > 0
                ? $", a.{Sql.Identifier(served.Partner!.EngineKey)}, {Part(served.Partner, "a", "name", "text")}, {Part(served.Partner, "a", "active", "boolean")}"
                : ", NULL::bigint, NULL::text, NULL::boolean"
        );

    private string Program =>
        served.Program is { } program && ProgramJoin.Length > 0
            ? $"p.{Sql.Identifier(program.EngineKey)} IS NOT NULL, {Part(program, "p", "active", "boolean")}, {Day(program, "p", "from")}, "
                + $"{Day(program, "p", "to")}, {Time(program, "p", "startsAt")}, {Time(program, "p", "endsAt")}"
            : "NULL::boolean, NULL::boolean, NULL::date, NULL::date, NULL::timestamptz, NULL::timestamptz";

    private string Part(string part, string type) => Part(_card, "c", part, type);

    private static string Part(EntityDeclaration entity, string alias, string part, string type) =>
        entity.ServedColumn(part) is { } column ? $"{alias}.{Sql.Identifier(column)}::{type}" : $"NULL::{type}";

    private static string Time(EntityDeclaration entity, string alias, string part) =>
        RepresentableTime.Of(Part(entity, alias, part, "timestamptz"));

    private static string Day(EntityDeclaration entity, string alias, string part) =>
        entity.ServedColumn(part) is null ? "NULL::date" : RepresentableTime.OfDay(Part(entity, alias, part, "date"));
}
