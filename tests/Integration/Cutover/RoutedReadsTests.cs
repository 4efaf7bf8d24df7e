using System.Globalization;
using Cdc.Api;
using Cdc.Cutover.Phases;
using Cdc.Cutover.Plans;
using Cdc.Cutover.Routes;
using Cdc.Tests.Integration.Api;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Cutover;

/// <summary>Who answers reads while a plan runs: over HTTP, and as other programs see it in the engine.</summary>
public sealed class RoutedReadsTests(TestServers servers)
{
    private const string Plan = """
        { "name": "test", "scopes": [{ "name": "pilot", "companies": [1] }, { "name": "web", "services": ["web"] }, { "name": "rest" }],
          "steps": [{ "name": "shadow", "phase": "shadow" }, { "name": "canary", "phase": "canary", "percentage": 40, "gates": { "minShadowReads": 0 } },
                    { "name": "all", "phase": "ramp", "percentage": 100, "gates": { "minShadowReads": 0 } }] }
        """;

    // The engine has other points than Odoo: so an answer says by itself who gave it.
    private const string EngineDiffers =
        "SET session_replication_role = replica; UPDATE loyalty_cards SET points = 0 WHERE id IN (1, 2); RESET session_replication_role";

    [Fact]
    public async Task Reads_are_answered_by_the_side_that_the_phase_says_and_the_flag_takes_them_back_at_once()
    {
        await using var shop = await Shop.OpenAsync(servers);
        await shop.Engine.ExecuteAsync(EngineDiffers, Shop.Ct);
        await RaiseAsync(shop, "start");
        await SideAsync(shop, 1, "odoo", "odoo");
        var odoo = await shop.GetAsync("/cards/odoo/1");
        Assert.Equal(("1.50", "1", "card 1"), (odoo["points"], odoo["odooCardId"], odoo["code"]?.ToLowerInvariant()));
        Assert.False(odoo.Headers.ContainsKey("ETag"));
        await shop.ChangeAsync("UPDATE loyalty_card SET points = 9 WHERE id = 4");
        var changed = await shop.GetAsync("/cards/odoo/4");
        Assert.Equal("9.00", changed["points"]);
        // What Odoo has shown the engine shows too, to whoever passes its position on.
        var later = await shop.GetAsync(
            $"/cards/{Uri.EscapeDataString(changed["code"]!)}/history?wait=10&min-position={changed["through"]}"
        );
        Assert.True(later.Status == 200, later.ToString());
        Assert.Equal("9.00", await shop.Engine.ScalarAsync<string>("SELECT points::text FROM loyalty_cards WHERE id = 4", Shop.Ct));
        Assert.Equal(odoo["code"], (await shop.GetAsync($"/cards/{Uri.EscapeDataString(odoo["code"]!)}"))["code"]);
        Assert.Equal(404, (await shop.GetAsync("/cards/odoo/999")).Status);

        await RaiseAsync(shop, "rest", "shadow", "canary", "all");
        // Company 2 is the rest's.
        await SideAsync(shop, 1, "engine", "engine");
        await SideAsync(shop, 2, "odoo", "odoo");
        Assert.Equal("0.00", (await shop.GetAsync("/cards/odoo/1/balance"))["points"]);
        // A card of the rest's that has not come to the engine.
        await shop.Engine.ExecuteAsync(
            "SET session_replication_role = replica; DELETE FROM loyalty_cards WHERE id = 3; RESET session_replication_role",
            Shop.Ct
        );
        var early = await shop.GetAsync("/cards/odoo/3");
        Assert.Equal(
            (200, "odoo", "card-not-found"),
            (early.Status, early.Headers["Cdc-Served-By"], early.Headers.GetValueOrDefault("Cdc-Fallback"))
        );
        Assert.Equal("odoo", (await shop.GetAsync("/cards/odoo/1?service=web")).Headers["Cdc-Served-By"]);

        await shop.Api.PostAsync("/feature-flags/rust-engine", """{"enabled": false}""", Shop.Ct);
        await SideAsync(shop, 1, "odoo", "odoo");
        await shop.Api.PostAsync("/feature-flags/rust-engine", """{"enabled": true, "percentage": 100}""", Shop.Ct);
        await SideAsync(shop, 1, "engine", "engine");
        var route = await shop.GetAsync("/route?card=1");
        Assert.Equal(
            ("2", "rest", "ramp", "100", "5"),
            (route["company"], route["scope"], route["phase"], route["percentage"], route["leaseSeconds"])
        );
        Assert.Equal("max-age=5, private", route.Headers["Cache-Control"]);
        Assert.Equal(422, (await shop.GetAsync("/route?card=x")).Status);
        // The engine does not have it, perhaps not yet: who asks for it is not told that there is none.
        var unknown = await shop.GetAsync("/route?card=999");
        Assert.Equal(("odoo", 200), (unknown["side"], unknown.Status));
        Assert.Contains(
            "cdc_cutover_reads_total{side=\"odoo\",fallback=\"none\"}",
            (await shop.GetAsync("/metrics")).Text,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Where_the_side_that_is_to_answer_cannot_the_other_one_does()
    {
        await using var shop = await Shop.OpenAsync(
            servers,
            (bed, pipeline) =>
                ApiBed.StartAsync(
                    bed,
                    Shop.Ct,
                    statistics: pipeline.Statistics,
                    odooConnection: new NpgsqlConnectionStringBuilder(bed.Source.ConnectionString) { Database = "nowhere" }.ConnectionString
                )
        );
        await RaiseAsync(shop, "start");
        for (var i = 0; i < 8; i++)
        {
            var answer = await shop.GetAsync("/cards/odoo/1");
            Assert.Equal(
                (200, "engine", "odoo-unavailable"),
                (answer.Status, answer.Headers["Cdc-Served-By"], answer.Headers["Cdc-Fallback"])
            );
        }
        // Why, somebody has to be told: readers are not.
        Assert.Contains(
            "\"nowhere\" does not exist",
            Assert.Single(shop.Bed.Log.Lines, l => l.Contains("Odoo cannot be asked", StringComparison.Ordinal)),
            StringComparison.Ordinal
        );

        // The engine has lost the card, and knows it: Odoo answers for it.
        await using var other = await ApiBed.StartAsync(shop.Bed, Shop.Ct);
        await RaiseAsync(shop, "rest", "shadow", "canary", "all");
        await shop.Engine.ExecuteAsync("UPDATE cdc.tables SET state = 'stopped' WHERE entity = 'card'", Shop.Ct);
        await Eventually.True(
            "the engine cannot answer a demand",
            async () =>
                (await other.GetAsync("/cards/odoo/1?max-staleness=1000&wait=0", Shop.Ct)).Headers.GetValueOrDefault("Cdc-Fallback")
                == "card-not-current",
            ct: Shop.Ct
        );
    }

    [Fact]
    public async Task The_engines_function_and_the_Api_say_the_same_of_every_card()
    {
        await using var shop = await Shop.OpenAsync(servers);
        Assert.Equal("engine", await shop.Engine.ScalarAsync<string>("SELECT cdc.route(1, 1, NULL)", Shop.Ct));
        await RaiseAsync(shop, "start");
        await RaiseAsync(shop, "pilot", "shadow", "canary");
        await RaiseAsync(shop, "web", "shadow", "canary", "all");
        await RaiseAsync(shop, "rest", "shadow", "canary");
        foreach (var change in (string[])["percentage = percentage", "percentage = 25", "companies = '{1,3}'", "enabled = false"])
        {
            await shop.Engine.ExecuteAsync($"UPDATE cdc.feature_flags SET {change}", Shop.Ct);
            await using var connection = await shop.Engine.DataSource.OpenConnectionAsync(Shop.Ct);
            var rules = (await RouteSource.ReadAsync(connection, Shop.Ct))!;
            var said = await shop.Engine.RowsAsync(
                """
                SELECT card, company, service, cdc.route(card, company, service)
                FROM generate_series(1, 200) card, unnest(ARRAY[NULL, 1, 2, 3]) company, unnest(ARRAY[NULL, 'web', 'pos']) service
                """,
                Shop.Ct
            );
            Assert.Equal(2400, said.Count);
            foreach (var line in said)
            {
                var (card, company, service, side) = line.Split('|') is [var a, var b, var c, var d] ? (a, b, c, d) : default;
                var route = rules.Of(
                    long.Parse(card, CultureInfo.InvariantCulture),
                    company.Length == 0 ? null : long.Parse(company, CultureInfo.InvariantCulture),
                    service.Length == 0 ? null : service
                );
                Assert.True(route.ByEngine == (side == "engine"), $"{change}: {line}, and {route}");
            }
        }
    }

    [Fact]
    public async Task OpenFeatures_clients_are_answered_as_reads_are_routed()
    {
        await using var shop = await Shop.OpenAsync(servers);
        await RaiseAsync(shop, "start");
        await RaiseAsync(shop, "rest", "shadow", "canary");
        await SideAsync(shop, 2, "odoo", null);
        for (var card = 1; card <= 19; card += 2)
        {
            var flag = await shop.Api.PostAsync(
                "/ofrep/v1/evaluate/flags/rust-engine",
                $$$"""{"context": {"targetingKey": "{{{card}}}", "company": 2}}""",
                Shop.Ct
            );
            var side = await shop.GetAsync($"/route?card={card}");
            Assert.Equal(("SPLIT", side["side"] == "engine" ? "True" : "False"), (flag["reason"], flag["value"]));
            Assert.Equal(flag["value"], (await shop.GetAsync($"/feature-flags/rust-engine?card={card}&company=2"))["on"]);
        }
        // Who does not name the company is answered by the scope that the card is in all the same.
        await RaiseAsync(shop, "pilot", "shadow", "canary", "all");
        await SideAsync(shop, 2, "engine", null);
        Assert.Equal("True", (await shop.GetAsync("/feature-flags/rust-engine?card=2"))["on"]);
        Assert.Equal(
            "True",
            (await shop.Api.PostAsync("/ofrep/v1/evaluate/flags/rust-engine", """{"context": {"targetingKey": "2"}}""", Shop.Ct))["value"]
        );
        await shop.Api.PostAsync("/feature-flags/rust-engine", """{"companies": [2]}""", Shop.Ct);
        Assert.Equal("False", (await shop.GetAsync("/feature-flags/rust-engine?card=2"))["on"]);
        await AssertFailsAsync(400, "TARGETING_KEY_MISSING", "rust-engine", "{}");
        await AssertFailsAsync(400, "INVALID_CONTEXT", "rust-engine", """{"context": {"targetingKey": "somebody"}}""");
        await AssertFailsAsync(400, "PARSE_ERROR", "rust-engine", "{");
        await AssertFailsAsync(404, "FLAG_NOT_FOUND", "no-such", "{}");
        const string Context = """{"context": {"targetingKey": "1", "company": 2}}""";
        var all = await shop.Api.PostAsync("/ofrep/v1/evaluate/flags", Context, Shop.Ct);
        Assert.Equal("rust-engine", all.Json.GetProperty("flags")[0].GetProperty("key").GetString());
        Assert.Equal(
            304,
            (await shop.Api.PostAsync("/ofrep/v1/evaluate/flags", Context, Shop.Ct, ("If-None-Match", all.Headers["ETag"]))).Status
        );

        async Task AssertFailsAsync(int status, string code, string flag, string body)
        {
            var failed = await shop.Api.PostAsync($"/ofrep/v1/evaluate/flags/{flag}", body, Shop.Ct);
            Assert.Equal((status, code, flag), (failed.Status, failed["errorCode"], failed["key"]));
        }
    }

    /// <summary>Nobody is there: the process that serves looks by itself.</summary>
    [Fact]
    public async Task A_trigger_takes_its_scope_back_and_no_other()
    {
        await using var shop = await Shop.OpenAsync(servers);
        await RaiseAsync(shop, "start");
        await RaiseAsync(shop, "pilot", "shadow", "canary", "all");
        await RaiseAsync(shop, "rest", "shadow", "canary", "all");
        await SideAsync(shop, 1, "engine", "engine");
        await SideAsync(shop, 2, "engine", "engine");
        var (pilots, others) =
            await shop.Engine.ScalarAsync<int>("SELECT company_id::int FROM loyalty_cards WHERE id = 1", Shop.Ct) == 1 ? (1, 2) : (2, 1);
        await shop.Engine.ExecuteAsync(
            "INSERT INTO cdc.cutover_shadow VALUES ('pilot', date_trunc('hour', now()) + interval '1 hour', 'equal', '', 98, 1), ('pilot', date_trunc('hour', now()) + interval '1 hour', 'differs', 'points', 2, 1), ('rest', date_trunc('hour', now()) + interval '1 hour', 'differs', 'points', 2, 1)",
            Shop.Ct
        );
        await SideAsync(shop, pilots, "odoo", "odoo");
        await SideAsync(shop, others, "engine", "engine");
        Assert.Contains("cdc_cutover_tripped{scope=\"pilot\"} 1\n", (await shop.GetAsync("/metrics")).Text, StringComparison.Ordinal);
        Assert.Equal(
            "trigger cdc shadow: 2 percent of 100 compared reads had different answers, at most 1",
            await shop.Engine.ScalarAsync<string>(
                "SELECT string_agg(concat_ws(' ', command, changed_by, why), '; ') FROM cdc.cutover_changes WHERE command = 'trigger'",
                Shop.Ct
            )
        );
    }

    /// <summary>Starts the plan, or takes a scope through steps, whatever its gates say: they are another test's.</summary>
    private static async Task RaiseAsync(Shop shop, string scope, params string[] steps)
    {
        await using var connection = await shop.Engine.DataSource.OpenConnectionAsync(Shop.Ct);
        if (scope == "start")
            await CutoverDesk.StartAsync(connection, PlanFile.Parse(Plan, "test"), "lead", null, Shop.Ct);
        foreach (var step in steps)
            await Eventually.True($"{scope} is at {step}", async () => (await AdvanceAsync(step)) is { } at && at == step, ct: Shop.Ct);

        async Task<string> AdvanceAsync(string step)
        {
            // Compared as a comparison of this moment would leave it.
            await shop.Engine.ExecuteAsync(Compared, Shop.Ct);
            var running = (await CutoverTable.RunningAsync(connection, locked: false, Shop.Ct))!;
            if (running.Plan.NameOf(running.Scope(scope).Step) == step)
                return step;
            return running.Plan.NameOf((await CutoverDesk.AdvanceAsync(connection, new Decision(scope, "lead", null, null), Shop.Ct)).Step);
        }
    }

    private const string Compared = """
        WITH run AS (INSERT INTO cdc.reconcile_runs (kind, entities, state, verdict) SELECT 'full', array_agg(entity), 'done', 'consistent' FROM cdc.tables RETURNING id)
        INSERT INTO cdc.reconcile_partitions (run, entity, place, generation, marker_lsn, source_rows, engine_rows, compared, missing, extra, differing,
            in_flight, quarantined, holes, loading, unlisted, held_ms)
        SELECT id, entity, 1, 1, '0/1', 9, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1 FROM run, cdc.tables
        """;

    /// <summary>The Api has heard of it.</summary>
    private static Task SideAsync(Shop shop, int card, string route, string? servedBy) =>
        Eventually.True(
            $"card {card} is answered by {route}",
            async () =>
                (await shop.GetAsync($"/route?card={card}"))["side"] == route
                && (servedBy is null || (await shop.GetAsync($"/cards/odoo/{card}")).Headers["Cdc-Served-By"] == servedBy),
            ct: Shop.Ct
        );
}
