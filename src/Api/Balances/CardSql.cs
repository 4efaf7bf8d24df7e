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
internal sealed class CardSql(EntityDeclaration card, DeclaredLookup lookup)
{
    private readonly string _name = Sql.Literal(card.Name);
    private readonly string _key = Sql.Identifier(card.EngineKey);

    /// <summary>$1: normalised code.</summary>
    public string ByCode => Statement("(SELECT 1::bigint AS place, $1::text AS code, NULL::bigint AS key) w", "c.code = w.code");

    /// <summary>$1: normalised codes, without repetition.</summary>
    public string ByCodes =>
        Statement(
            "(SELECT u.place, u.code, NULL::bigint AS key FROM unnest($1::text[]) WITH ORDINALITY u(code, place)) w",
            "c.code = w.code"
        );

    /// <summary>$1: Odoo's id.</summary>
    public string ByOdooId => Statement("(SELECT 1::bigint AS place, NULL::text AS code, $1::bigint AS key) w", $"c.{_key} = w.key");

    /// <summary>$1: Odoo's id of a card that was born in the engine.</summary>
    public string ByLateOdooId =>
        Statement(
            "(SELECT 1::bigint AS place, NULL::text AS code, NULL::bigint AS key) w",
            $"c.{_key} >= 4294967296 AND c.odoo_card_id = $1::integer"
        );

    /// <summary>$1: partner, $2: key after which to begin, $3: how many.</summary>
    public string ByPartner =>
        Statement(
            "(SELECT 1::bigint AS place, NULL::text AS code, NULL::bigint AS key) w",
            "true",
            $"LATERAL (SELECT * FROM {card.EngineName} WHERE partner_id = $1::bigint AND {_key} > $2::bigint ORDER BY {_key} LIMIT "
                + "$3::integer)"
        );

    /// <summary>The reason of a card in quarantine that the engine has no row of, by the source's own code. $1: normalised code.</summary>
    public string QuarantinedCode
    {
        get
        {
            var source = Sql.Identifier(lookup.SourceColumn.Name);
            var value = card.Columns.First(c => c.Name == card.NotifyColumn).Value;
            return $"""
                SELECT reason FROM (SELECT reason, key, source_row ->> {Sql.Literal(
                    lookup.SourceColumn.Name
                )} AS {source} FROM {RowStateSql.QuarantineOf(_name)}) q
                WHERE {value} = $1::text AND NOT EXISTS (SELECT FROM {card.EngineName} c WHERE c.{_key} = q.key) LIMIT 1
                """;
        }
    }

    private string Statement(string wanted, string join, string? cards = null) =>
        $"""
            SELECT w.place, c.{_key}, c.odoo_card_id, c.program_id, c.partner_id, c.company_id, c.code, c.points::text, {RepresentableTime.Of(
                "c.created_at"
            )}, {RepresentableTime.Of("c.updated_at")}, c.sync_version,
                   c.source_generation, c.source_lsn, c.source_ordinal, {RepresentableTime.Of(
                "c.source_commit_at"
            )}, q.reason, r.key IS NOT NULL,
                   (c.source_generation, c.source_lsn) < (t.whole_generation, t.whole_lsn) AND {RowStateSql.IsToBeRead(_name, $"c.{_key}")},
                   {EngineMomentSql.Columns}
            FROM {EngineMomentSql.From(_name)}
            CROSS JOIN {wanted}
            LEFT JOIN {cards ?? card.EngineName} c ON {join}
            LEFT JOIN {RowStateSql.QuarantineEntry("q", _name, $"coalesce(c.{_key}, w.key)")}
            LEFT JOIN {RowStateSql.RereadEntry("r", _name, $"c.{_key}")}
            ORDER BY w.place, c.{_key}
            """;
}
