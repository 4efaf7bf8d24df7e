using Cdc.Core.Entities;
using Cdc.Core.Postgres;

namespace Cdc.Engine.Ownership;

/// <summary>
/// What watches the owners of cards, as SQL: whoever changes one, it is written down, and happens between two transactions of those who
/// apply. Costs nothing where no statement names the column.
/// </summary>
internal sealed class OwnerChangeSql(EntityDeclaration cards)
{
    public const string TriggerName = "cdc_owner_change";

    private readonly string _key = Sql.Identifier(cards.EngineKey);

    private string Function => $"cdc.{Sql.Identifier("owner_change_" + cards.Name)}";

    public IEnumerable<string> Statements =>
        [
            $"""
                CREATE OR REPLACE FUNCTION {Function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $owner$
                BEGIN
                    IF NEW.owner NOT IN ('odoo', 'engine') THEN
                        RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = format('a card''s owner is odoo or engine, not %L', NEW.owner);
                    END IF;
                    PERFORM pg_advisory_xact_lock({AdvisoryLocks.Owners});
                    IF NEW.owner = 'engine' THEN
                        UPDATE cdc.owned_tables SET engine_owns = true WHERE entity = {Sql.Literal(cards.Name)} AND NOT engine_owns;
                    END IF;
                    INSERT INTO cdc.owner_changes (entity, key, from_owner, to_owner, evidence, generation, lsn, ordinal, through_lsn)
                    VALUES ({Sql.Literal(
                    cards.Name
                )}, NEW.{_key}, coalesce(OLD.owner, 'odoo'), coalesce(NEW.owner, 'odoo'), nullif(current_setting('cdc.evidence', true), ''),
                            NEW.source_generation, NEW.source_lsn, NEW.source_ordinal, (SELECT min(through_lsn) FROM cdc.checkpoints));
                    RETURN NULL;
                END $owner$
                """,
            $"DROP TRIGGER IF EXISTS {TriggerName} ON {cards.EngineName}",
            // Not of a card that is being born, which was nobody's.
            $"CREATE TRIGGER {TriggerName} AFTER UPDATE OF owner ON {cards.EngineName} FOR EACH ROW "
                + $"WHEN (OLD.owner IS DISTINCT FROM NEW.owner AND (OLD.owner IS NOT NULL OR OLD.{_key} < {EntityDeclaration.FirstEngineId})) EXECUTE FUNCTION {Function}()",
            // Also in sessions that have switched triggers off.
            $"ALTER TABLE {cards.EngineName} ENABLE ALWAYS TRIGGER {TriggerName}",
        ];
}
