using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Api;

public sealed class InputTests(TestServers servers)
{
    private static readonly string[] Attacks =
    [
        "'",
        "';DROP TABLE loyalty_cards;--",
        "1 OR 1=1",
        "\\'; --",
        "$1",
        "$$",
        "{0}",
        "%00",
        "%2527",
        "'||pg_sleep(9)||'",
        "\"",
        "*",
        "%2e%2e%2f",
        "<script>",
        "\u202e",
        "ß",
        "日本",
        "😀",
    ];

    [Fact]
    public async Task Whatever_stands_in_a_parameter_is_data()
    {
        await using var shop = await Shop.OpenAsync(servers);
        var before = await shop.Engine.ScalarAsync<long>("SELECT count(*) FROM loyalty_cards", Shop.Ct);
        foreach (var attack in Attacks.Select(a => a.StartsWith('%') ? a : Uri.EscapeDataString(a)))
        foreach (
            var path in (string[])
                [
                    $"/cards/{attack}",
                    $"/cards/{attack}/balance",
                    $"/cards/{attack}/history",
                    $"/cards/card%201/history?cursor={attack}",
                    $"/cards/card%201/history?limit={attack}",
                    $"/cards/card%201?min-position={attack}",
                    $"/cards/card%201?max-staleness={attack}",
                    $"/cards/card%201?wait={attack}&max-staleness=9",
                    $"/cards/odoo/{attack}",
                    $"/partners/{attack}/cards",
                    $"/partners/1/cards?cursor={attack}",
                    $"/quarantine?entity={attack}",
                    $"/quarantine?limit={attack}",
                    $"/quarantine/{attack}/1",
                    $"/quarantine/card/{attack}",
                    $"/feature-flags/{attack}",
                    $"/feature-flags/f?card={attack}",
                    $"/feature-flags/f?card=1&company={attack}",
                    $"/feature-flags/{attack}/changes",
                    $"/reconcile/runs/{attack}",
                    $"/reconcile/drift?entity={attack}",
                    $"/reconcile/drift?cursor={attack}",
                    $"/reconcile/drift?limit={attack}",
                    $"/reconcile/drift?resolved={attack}",
                ]
        )
        {
            var answer = await shop.GetAsync(path);
            Assert.True(answer.Status is 400 or 404 or 422, $"{path}: {answer}");
            Assert.True(answer.Status == 400 || answer.Problem is not null, $"{path}: {answer}");
        }
        Assert.Equal(before, await shop.Engine.ScalarAsync<long>("SELECT count(*) FROM loyalty_cards", Shop.Ct));
    }

    [Fact]
    public async Task Whatever_stands_in_a_body_or_a_header_is_data()
    {
        await using var shop = await Shop.OpenAsync(servers);
        await shop.Api.PostAsync("/feature-flags/f", """{"enabled": true}""", Shop.Ct);
        var before = await ContentsAsync(shop);
        foreach (var attack in Attacks)
        {
            var text = System.Text.Json.JsonSerializer.Serialize(attack);
            var batch = await shop.Api.PostAsync("/cards/balances", $"{{\"codes\": [{text}]}}", Shop.Ct);
            Assert.True(
                batch.Status == 200
                    && batch.Json.GetProperty("results")[0].GetProperty("problem").ValueKind == System.Text.Json.JsonValueKind.Object,
                batch.ToString()
            );
            foreach (
                var body in (string[])
                    [
                        attack,
                        text,
                        $"{{\"enabled\": {text}}}",
                        $"{{\"percentage\": {text}}}",
                        $"{{\"companies\": [{text}]}}",
                        $"{{\"enabled\": true, {text}: 1}}",
                    ]
            )
                Assert.Equal(
                    (422, "invalid-body"),
                    (
                        (await shop.Api.PostAsync("/feature-flags/f", body, Shop.Ct)).Status,
                        (await shop.Api.PostAsync("/feature-flags/f", body, Shop.Ct)).Problem
                    )
                );
            foreach (
                var path in (string[])
                    [$"/quarantine/{Uri.EscapeDataString(attack)}/1/retry", $"/quarantine/card/{Uri.EscapeDataString(attack)}/discard"]
            )
                Assert.True((await shop.Api.PostAsync(path, attack, Shop.Ct)).Status is 400 or 404 or 422, path);
            if (attack.Any(c => c is < ' ' or > '~'))
                continue;
            foreach (var header in (string[])["If-None-Match", "X-Api-Key", "Authorization", "Content-Type", "Accept"])
                Assert.Equal(
                    header == "If-None-Match" && attack == "*" ? 304 : 200,
                    (await shop.GetAsync("/cards/card%201", (header, attack))).Status
                );
        }
        Assert.Equal(before, await ContentsAsync(shop));
    }

    [Fact]
    public async Task Codes_are_judged_by_the_declarations_rules()
    {
        await using var shop = await Shop.OpenAsync(servers);
        foreach (var code in (string[])["%20", "%09%0A", new string('x', 513), new string('x', 10_000), "a%ED%A0%80"])
        {
            var answer = await shop.GetAsync($"/cards/{code}/balance");
            Assert.True(answer.Status is 422 or 404, $"{code.Length}: {answer}");
            if (!code.StartsWith('a'))
                Assert.Equal("invalid-code", answer.Problem);
        }
        var position = await shop.ChangeAsync(
            "INSERT INTO loyalty_card (id, program_id, code, points) VALUES (50, 1, 'Käse/ß+%41', 1), (51, 1, '"
                + new string('y', 512)
                + "', 2)"
        );
        foreach (var code in (string[])["Käse/ß+%41", "kÄSE/ß+%41"])
        {
            var answer = await shop.BalanceAsync(code, $"?min-position={position}");
            // Upper-casing is ASCII's, as declared: the letter with dots is another one in the other case.
            Assert.Equal(code[0] == 'K' ? 200 : 404, answer.Status);
        }
        // Routes know no case.
        Assert.Equal(200, (await shop.GetAsync($"/Cards/{Uri.EscapeDataString("Käse/ß+%41")}/balance")).Status);
        Assert.Equal("2.00", (await shop.BalanceAsync(new string('Y', 512)))["points"]);
        Assert.Equal(404, (await shop.BalanceAsync("nobody")).Status);
    }

    [Fact]
    public async Task What_is_no_route_or_no_method_of_one_is_a_problem_too()
    {
        await using var shop = await Shop.OpenAsync(servers);
        Assert.Equal((404, "not-found"), ((await shop.GetAsync("/nothing")).Status, (await shop.GetAsync("/nothing")).Problem));
        var wrong = await shop.Api.PostAsync("/cards/x/balance", "", Shop.Ct);
        Assert.Equal((405, "http-405"), (wrong.Status, wrong.Problem));
        var large = await shop.Api.PostAsync("/cards/balances", new string(' ', 300_000), Shop.Ct);
        Assert.Equal((413, "http-413"), (large.Status, large.Problem));
    }

    private static Task<string?> ContentsAsync(Shop shop) =>
        shop.Engine.ScalarAsync<string>(
            "SELECT (SELECT string_agg(c::text, ',' ORDER BY id) FROM loyalty_cards c) || (SELECT string_agg(f::text, ',') FROM cdc.feature_flags f)",
            Shop.Ct
        );
}
