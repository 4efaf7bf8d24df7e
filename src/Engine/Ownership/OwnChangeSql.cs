using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Core.Progress;
using Cdc.Engine.Rows;

namespace Cdc.Engine.Ownership;

/// <summary>
/// What watches the engine's own changes of one table, as SQL: a function and its triggers. A change is refused unless the engine owns its
/// card; else it gets a number, and a row in cdc.sync_log. Whoever applies Odoo's changes is not watched: where its role may, its session has
/// these triggers off (they cost nothing then); otherwise it is known by a setting, and by the right to move the checkpoint, which nobody else
/// has.
/// </summary>
internal sealed class OwnChangeSql(EntityDeclaration entity, EntityDeclaration cards)
{
    /// <summary>Set by sessions that apply and may not switch triggers off.</summary>
    public const string ApplyingSetting = "cdc.applying";

    private const long FirstEngineId = EntityDeclaration.FirstEngineId;
    private const string Number = "greatest(coalesce(c.own_number, 0) + 1, coalesce(c.odoo_number, 0) + 1, cdc.clock_micros())";

    private readonly string _table = entity.EngineName;
    private readonly string _key = Sql.Identifier(entity.EngineKey);
    private readonly string _cards = cards.EngineName;
    private readonly string _cardKey = Sql.Identifier(cards.EngineKey);
    private readonly bool _isCard = entity.Reverse!.IsCard;
    private readonly string _card = Sql.Identifier(entity.Reverse!.CardColumn ?? entity.EngineKey);

    /// <summary>Odoo's id, where the declaration has it: of a row that was born in the engine NULL until Odoo has it.</summary>
    private readonly string? _odooId = entity.OdooId is { } id ? Sql.Identifier(id.Name) : null;

    public string Function => $"cdc.{Sql.Identifier("own_change_" + entity.Name)}";

    public static IReadOnlyList<string> TriggerNames { get; } = ["cdc_own_insert", "cdc_own_update", "cdc_own_delete", "cdc_own_truncate"];

    /// <summary>Columns that the table needs, one statement.</summary>
    public string AddColumns =>
        $"ALTER TABLE {_table} ADD COLUMN IF NOT EXISTS base jsonb, ADD COLUMN IF NOT EXISTS odoo_ref text"
        + (
            _isCard
                ? ", ADD COLUMN IF NOT EXISTS owner text, ADD COLUMN IF NOT EXISTS own_number bigint, ADD COLUMN IF NOT EXISTS odoo_number bigint"
                : ""
        );

    public IEnumerable<string> Statements => [Create, .. Triggers];

    /// <summary>Rows that were born in the engine before anybody watched: as if they were made now. Returns how many.</summary>
    public string Adopt =>
        $"""
            WITH born AS (
                SELECT t.{_key} AS id, c.{_cardKey} AS card, nullif(greatest(coalesce(c.own_number, 0), coalesce(c.odoo_number, 0)), 0) AS last,
                       row_number() OVER (PARTITION BY c.{_cardKey} ORDER BY t.{_key}) AS place, {BaseSql.Row(entity, "t")} AS after
                FROM {_table} t JOIN {_cards} c ON c.{_cardKey} = t.{_card}
                WHERE t.{_key} >= {FirstEngineId}{(_odooId is null ? "" : $" AND t.{_odooId} IS NULL")}
            ), numbered AS MATERIALIZED (
                SELECT b.*, greatest(coalesce(b.last, 0), now.micros) + b.place AS number FROM born b, (SELECT cdc.clock_micros() AS micros) now
            ), logged AS (
                INSERT INTO cdc.sync_log (entity, id, card, number, predecessor, action, after)
                SELECT {Name}, n.id, n.card, n.number, coalesce(lag(n.number) OVER (PARTITION BY n.card ORDER BY n.place), n.last), 'create', n.after
                FROM numbered n
            ), moved AS (
                UPDATE {_cards} c SET own_number = n.number, owner = CASE WHEN c.{_cardKey} >= {FirstEngineId} THEN coalesce(c.owner, 'engine') ELSE c.owner END
                FROM (SELECT card, max(number) AS number FROM numbered GROUP BY card) n WHERE c.{_cardKey} = n.card
            )
            SELECT count(*) FROM numbered
            """;

    private string Name => Sql.Literal(entity.Name);

    /// <summary>Within a literal that format() reads.</summary>
    private static string Word(EntityDeclaration named) =>
        named.Name.Replace("'", "''", StringComparison.Ordinal).Replace("%", "%%", StringComparison.Ordinal);

    /// <summary>The session applies Odoo's changes.</summary>
    private static string Applies =>
        $"coalesce(current_setting('{ApplyingSetting}', true), '') = 'on' AND has_table_privilege('cdc.checkpoints'::regclass, 'UPDATE')";

    private IEnumerable<string> Triggers
    {
        get
        {
            string Columns(string row) =>
                string.Join(", ", BaseSql.Kept(entity).Select(c => $"{row}.{Sql.Identifier(c.Name)}").Prepend($"{row}.{_key}"));
            (string Event, string And)[] events =
            [
                ("insert", ""),
                // Not of what the pipeline itself writes: base and numbers.
                ("update", $" AND ({Columns("OLD")}) IS DISTINCT FROM ({Columns("NEW")})"),
                ("delete", ""),
            ];
            foreach (var (what, and) in events)
            {
                yield return $"DROP TRIGGER IF EXISTS cdc_own_{what} ON {_table}";
                yield return $"CREATE TRIGGER cdc_own_{what} AFTER {what.ToUpperInvariant()} ON {_table} FOR EACH ROW WHEN (NOT ({Applies}){and}) EXECUTE FUNCTION {Function}()";
            }
            yield return $"DROP TRIGGER IF EXISTS cdc_own_truncate ON {_table}";
            yield return $"CREATE TRIGGER cdc_own_truncate BEFORE TRUNCATE ON {_table} FOR EACH STATEMENT EXECUTE FUNCTION cdc.refuse_truncate()";
        }
    }

    // In the rights of its owner: who writes rows needs none on what is kept of them. With settings of its own, so that a value has one text.
    private string Create =>
        $"""
            CREATE OR REPLACE FUNCTION {Function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
            SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET extra_float_digits = 1 AS $own$
            DECLARE
                row_before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN {BaseSql.Row(entity, "OLD")} END;
                row_after jsonb := CASE WHEN TG_OP <> 'DELETE' THEN {BaseSql.Row(entity, "NEW")} END;
                row_key bigint := CASE WHEN TG_OP = 'DELETE' THEN OLD.{_key} ELSE NEW.{_key} END;
                of_card bigint := CASE WHEN TG_OP = 'DELETE' THEN OLD.{_card} ELSE NEW.{_card} END;
                number bigint;
                predecessor bigint;
                card_owner text;
                card_gone boolean;
            BEGIN
            {(_isCard ? OfCard : OfChild)}
                IF number IS NULL THEN
            {Refuse}
                END IF;
                IF TG_OP = 'INSERT' AND row_key < {FirstEngineId} OR TG_OP = 'UPDATE' AND NEW.{_key} <> OLD.{_key} THEN
                    RAISE EXCEPTION USING ERRCODE = 'OC002', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME,
                        MESSAGE = format('{Word(
                entity
            )} %s is no row of the engine''s: ids below {FirstEngineId} are given by Odoo', row_key),
                        HINT = 'Leave the id out: the table''s sequence begins there. An id never changes.';
                ELSIF TG_OP = 'DELETE' AND {Known("OLD")} THEN
                    RAISE EXCEPTION USING ERRCODE = 'OC002', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME,
                        MESSAGE = format('{Word(entity)} %s is in Odoo: the engine may not delete it', row_key),
                        HINT = 'Delete it in Odoo, or set it inactive.';{(_isCard ? "" : OtherCard)}
                END IF;
                INSERT INTO cdc.sync_log (entity, id, card, number, predecessor, action, before, after)
                VALUES ({Name}, row_key, of_card, number, predecessor,
                        CASE TG_OP WHEN 'INSERT' THEN 'create' WHEN 'UPDATE' THEN 'update' ELSE 'delete' END,
                        CASE WHEN TG_OP = 'UPDATE' THEN cdc.changed_columns(row_before, row_after) ELSE row_before END,
                        CASE WHEN TG_OP = 'UPDATE' THEN cdc.changed_columns(row_after, row_before) ELSE row_after END);
            {(_isCard ? "" : ChildBase)}
                -- The same notice again is none: one for a transaction.
                PERFORM pg_notify('{OwnChanges.Channel}', '');
            {Announce}
                RETURN NULL;
            END $own$
            """;

    /// <summary>The row is in Odoo: it has a base.</summary>
    private string Known(string row) =>
        _odooId is null ? $"{row}.{_key} < {FirstEngineId}" : $"({row}.{_key} < {FirstEngineId} OR {row}.{_odooId} IS NOT NULL)";

    // Guard, lock and number in one statement. The inner query locks: it reads what the card is after whoever had the lock.
    private string Take(string card, string owner, string set) =>
        $"""
                    UPDATE {_cards} c SET own_number = {Number}{set}
                    FROM (SELECT l.{_cardKey} AS id, nullif(greatest(coalesce(l.own_number, 0), coalesce(l.odoo_number, 0)), 0) AS last
                          FROM {_cards} l WHERE l.{_cardKey} = {card} AND {owner} FOR NO KEY UPDATE) p
                    WHERE c.{_cardKey} = p.id RETURNING c.own_number, p.last INTO number, predecessor;
            """;

    private const string EnginesCard = "l.owner = 'engine' AND l.base IS DISTINCT FROM 'null'::jsonb";

    private string OfCard =>
        $"""
                IF TG_OP = 'UPDATE' THEN
            {Take(
                $"OLD.{_key}",
                EnginesCard,
                $", base = CASE WHEN {Known("OLD")} THEN cdc.moved_base(c.base, row_before, row_after) ELSE c.base END"
            )}
                ELSIF TG_OP = 'INSERT' THEN
            {Take($"NEW.{_key}", "coalesce(l.owner, 'engine') = 'engine'", ", owner = 'engine'")}
                ELSIF OLD.owner = 'engine' THEN
                    -- Whoever deletes the row has its lock.
                    predecessor := nullif(greatest(coalesce(OLD.own_number, 0), coalesce(OLD.odoo_number, 0)), 0);
                    number := greatest(coalesce(predecessor, 0) + 1, cdc.clock_micros());
                END IF;
            """;

    private string OfChild => Take("of_card", EnginesCard, "");

    private string OtherCard =>
        $"""

                ELSIF TG_OP = 'UPDATE' AND NEW.{_card} <> OLD.{_card} THEN
                    RAISE EXCEPTION USING ERRCODE = 'OC002', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME,
                        MESSAGE = format('{Word(entity)} %s may not go from {Word(cards)} %s to %s', row_key, OLD.{_card}, NEW.{_card}),
                        HINT = 'The order of own changes is that of one card. Make a new row.';
            """;

    private string ChildBase =>
        $"""
                IF TG_OP = 'UPDATE' AND {Known("OLD")} THEN
                    UPDATE {_table} t SET base = cdc.moved_base(t.base, row_before, row_after) WHERE t.{_key} = row_key;
                END IF;
            """;

    private string Refuse =>
        $"""
                    SELECT coalesce(c.owner, 'odoo'), c.base IS NOT DISTINCT FROM 'null'::jsonb INTO card_owner, card_gone
                    FROM {_cards} c WHERE c.{_cardKey} = of_card;{(_isCard ? DeletedCard : "")}
                    RAISE EXCEPTION USING ERRCODE = 'OC001', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME,
                        MESSAGE = format('the %s of {Word(entity)} %s is refused: %s', lower(TG_OP), row_key,
                            CASE WHEN card_owner IS NULL THEN format('{Word(cards)} %s is not there', of_card)
                                 WHEN card_gone THEN format('{Word(cards)} %s belongs to %s, and Odoo has deleted it', of_card, card_owner)
                                 ELSE format('{Word(cards)} %s belongs to %s, not to the engine', of_card, card_owner) END),
                        HINT = CASE WHEN card_owner IS NULL THEN 'Write the {Word(cards)} first, in a statement before this one.'
                                    WHEN card_gone THEN 'What becomes of it is for a person to decide: SELECT * FROM cdc.conflicts.'
                                    ELSE format('Write it in Odoo, or hand the {Word(
                cards
            )} over: cdc owner set --id %s engine --yes', of_card) END;
            """;

    /// <summary>Its row is gone in this statement.</summary>
    private const string DeletedCard = """

                    IF TG_OP = 'DELETE' THEN
                        card_owner := coalesce(OLD.owner, 'odoo');
                    END IF;
        """;

    /// <summary>Whoever keeps cards in memory hears of it.</summary>
    private string Announce
    {
        get
        {
            if (cards.NotifyColumn is not { } column)
                return "";
            var channel = ChangeNotice.Channel(cards.Name);
            var value = Sql.Identifier(column);
            return _isCard
                ? $"    PERFORM pg_notify('{channel}', row_key || CASE WHEN TG_OP <> 'DELETE' AND NEW.{value} IS NOT NULL THEN ':' || cdc.lookup_hash(NEW.{value}::text) ELSE '' END);"
                : $"    PERFORM pg_notify('{channel}', of_card::text);";
        }
    }
}
