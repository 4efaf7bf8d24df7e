namespace Cdc.Cutover.Flags;

/// <summary>
/// Changes a feature flag, on record and announced, also to those who route by it: by a request of the Api, or by a phase.
/// </summary>
public static class FlagSql
{
    public const string Columns = "name, enabled, percentage, companies, version, updated_at, updated_by";

    // Before the statement below takes its snapshot: of two changes at once the second records what the first has made.
    public const string Lock = "LOCK TABLE cdc.feature_flags IN SHARE ROW EXCLUSIVE MODE";

    /// <summary>$1 name, $2 enabled, $3 percentage, $4 companies (NULL: as it was), $5 by whom, $6 from which address. Returns the columns.</summary>
    public const string Change = $$"""
        WITH before AS (SELECT {{Columns}} FROM cdc.feature_flags WHERE name = $1),
        changed AS (
            INSERT INTO cdc.feature_flags AS f (name, enabled, percentage, companies, updated_by)
            VALUES ($1, coalesce($2, false), coalesce($3, 100), coalesce($4, '{}'), $5)
            ON CONFLICT (name) DO UPDATE SET enabled = coalesce($2, f.enabled), percentage = coalesce($3, f.percentage), companies = coalesce($4, f.companies),
                version = f.version + 1, updated_at = now(), updated_by = $5
            RETURNING {{Columns}}),
        recorded AS (
            INSERT INTO cdc.feature_flag_changes (name, changed_by, address, before, after)
            SELECT $1, $5, $6, (SELECT jsonb_build_object('enabled', enabled, 'percentage', percentage, 'companies', to_jsonb(companies)) FROM before),
                   jsonb_build_object('enabled', enabled, 'percentage', percentage, 'companies', to_jsonb(companies)) FROM changed)
        SELECT {{Columns}}, pg_notify('cdc_flags', ''), pg_notify('cdc_routes', '') FROM changed
        """;
}
