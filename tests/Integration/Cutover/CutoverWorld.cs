using Cdc.Tests.Integration.Host;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Cutover;

/// <summary>An engine that follows, has compared everything, and differs nowhere; and plans in files.</summary>
internal static class CutoverWorld
{
    /// <summary>Without times of waiting.</summary>
    public const string Plan = """
        { "name": "test",
          "scopes": [{ "name": "pilot", "companies": [1] }, { "name": "rest" }],
          "steps": [
            { "name": "shadow", "phase": "shadow" },
            { "name": "canary", "phase": "canary", "percentage": 10, "approvals": 2 },
            { "name": "half", "phase": "ramp", "percentage": 50 },
            { "name": "all", "phase": "ramp", "percentage": 100 } ] }
        """;

    private const string Stands = """
        INSERT INTO cdc.source (state, generation, session, system_identifier, timeline, database_name, slot, publication, written_lsn)
        VALUES ('streaming', 1, 1, '1', 1, 'odoo', 'cdc', 'cdc', '0/1');
        INSERT INTO cdc.checkpoints (partition, generation, last_lsn, last_xid, last_commit_at, through_lsn, owner_token)
        VALUES ('all', 1, '0/1', 9, now(), '0/1', '00000000-0000-0000-0000-000000000001');
        INSERT INTO cdc.tables (entity, state) VALUES ('card', 'streaming');
        INSERT INTO cdc.reconcile_runs (kind, entities, state, verdict) VALUES ('full', '{card}', 'done', 'consistent');
        INSERT INTO cdc.reconcile_partitions (run, entity, place, generation, marker_lsn, source_rows, engine_rows, compared, missing, extra, differing,
            in_flight, quarantined, holes, loading, unlisted, held_ms)
        SELECT id, 'card', 1, 1, '0/1', 1000, 1000, 1000, 0, 0, 0, 0, 0, 0, 0, 0, 1 FROM cdc.reconcile_runs;
        -- Of the hours to come, so that no step begins behind it.
        INSERT INTO cdc.cutover_shadow (scope, hour, result, field, reads, last_card)
        SELECT s, date_trunc('hour', now()) + interval '1 hour', 'equal', '', 1000, 1 FROM unnest(ARRAY['pilot', 'rest']) s
        """;

    public static async Task<HostWorld> CreateAsync(TestServers servers)
    {
        var world = await HostWorld.CreateWholeAsync(servers);
        await world.EngineAsync(Stands);
        return world;
    }

    public static async Task<string> FileAsync(string plan = Plan)
    {
        var path = Path.Combine(Path.GetTempPath(), $"cdc-plan-{Guid.NewGuid():N}.json");
        await File.WriteAllTextAsync(path, plan, HostWorld.Ct);
        return path;
    }

    public static async Task StartAsync(this HostWorld world, string plan = Plan)
    {
        var started = await world.RunAsync("cutover", "start", await FileAsync(plan), "--by", "lead", "--yes");
        Assert.True(started.ExitCode == 0, started.Error);
    }

    /// <returns>Its exit code, after which nothing but 0 was expected.</returns>
    public static async Task AdvanceAsync(this HostWorld world, string scope, string by = "lead")
    {
        var run = await world.RunAsync("cutover", "advance", scope, "--by", by, "--yes");
        Assert.True(run.ExitCode == 0, run.Error);
    }

    /// <summary>Of all scopes: step and share, and who may not advance them.</summary>
    public static Task<string> StandAsync(this HostWorld world) =>
        world.EngineAsync<string>(
            "SELECT string_agg(concat_ws(' ', scope, step, phase, percentage::float8, held), ', ' ORDER BY scope) FROM cdc.cutover_scopes s "
                + "JOIN cdc.cutover_plans p USING (plan) WHERE ended_at IS NULL"
        );

    public static Task<string> FlagAsync(this HostWorld world) =>
        world.EngineAsync<string>(
            "SELECT concat_ws(' ', enabled, percentage::float8, companies) FROM cdc.feature_flags WHERE name = 'rust-engine'"
        );
}
