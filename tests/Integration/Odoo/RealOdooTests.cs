using System.Globalization;
using Cdc.Capture;
using Cdc.Capture.Checks;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Engine.Migrations;
using Cdc.Expressions.Declaration;
using Cdc.Pipeline.Setup;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Odoo;

/// <summary>
/// The presets against a real Odoo, which <c>CDC_TEST_ODOO</c> names (a connection string). Nothing is written there: its declared tables are
/// copied, in one snapshot, into a database of the tests, and followed there.
/// </summary>
[Trait("Needs", "CDC_TEST_ODOO")]
public sealed class RealOdooTests(TestServers servers, ITestOutputHelper output)
{
    private const int MostCards = 300;

    /// <summary>Findings that are of the server, of rights or of what cdc makes itself, and not of the preset.</summary>
    private static readonly string[] OfTable = ["table-", "column-", "key-", "preset-", "points-frozen"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Its_preset_is_found_reads_every_row_and_the_engine_is_what_SQL_makes_of_them()
    {
        await using var real = await OpenAsync();
        var (odoo, entities) = await PresetAsync(real);
        output.WriteLine($"{odoo}: preset {odoo.Preset}");
        var findings = await Preflight.CheckAsync(new SourceOptions { ConnectionString = real.ConnectionString }, entities, Ct);
        foreach (var finding in findings)
            output.WriteLine($"{finding.Code}: {finding.Message}");
        Assert.DoesNotContain(findings, f => f.IsError && OfTable.Any(t => f.Code.StartsWith(t, StringComparison.Ordinal)));
        await using var bed = await FollowedAsync(real, entities);
        await bed.AssertEqualAsync(Ct);
        foreach (var entity in entities.All)
            output.WriteLine(
                $"{entity.Name}: {await bed.Engine.ScalarAsync<long>($"SELECT count(*) FROM {entity.EngineName}", Ct)} rows, in quarantine: "
                    + (
                        await bed.Engine.ScalarAsync<string>(
                            $"SELECT string_agg(n || ' ' || reason, ', ') FROM (SELECT reason, count(*) AS n FROM cdc.quarantine WHERE entity = {Sql.Literal(entity.Name)} GROUP BY 1) q",
                            Ct
                        ) ?? "none"
                    )
            );
    }

    [Fact]
    public async Task Cards_have_the_points_and_can_be_spent_as_its_own_rows_say()
    {
        await using var real = await OpenAsync();
        var (odoo, entities) = await PresetAsync(real);
        await using var bed = await FollowedAsync(real, entities);
        await using var api = await ApiBed.StartAsync(bed, Ct);
        var cards = await RowsAsync(real, CardsSql(odoo, entities));
        foreach (var (code, points, spendable) in cards)
        {
            var answer = await api.GetAsync($"/cards/{Uri.EscapeDataString(code)}/balance", Ct);
            if (answer.Problem is "card-quarantined" or "code-ambiguous")
                continue;
            Assert.Equal((code, points, spendable), (answer["code"], answer["points"], answer["spendable"]?.ToLowerInvariant()));
        }
        output.WriteLine($"{cards.Count} cards compared");
        foreach (var aggregate in DeclaredAggregate.Of(entities))
            Assert.Equal(0L, await bed.Engine.ScalarAsync<long>($"SELECT count(*) FROM ({aggregate.Wrong}) w", Ct));
        if (entities.Serving(ServedRole.History) is { } history && odoo.Major is 18 or 19)
            output.WriteLine(
                "Cards whose points are not the sum of their history: "
                    + await bed.Engine.ScalarAsync<long>(
                        $"SELECT count(*) FROM loyalty_cards c LEFT JOIN (SELECT loyalty_card_id, sum(points_amount) AS points FROM {history.EngineName} GROUP BY 1) h ON h.loyalty_card_id = c.id WHERE c.points <> coalesce(h.points, 0)",
                        Ct
                    )
            );
    }

    private static async Task<NpgsqlConnection> OpenAsync()
    {
        var named = Environment.GetEnvironmentVariable("CDC_TEST_ODOO");
        Assert.SkipWhen(string.IsNullOrEmpty(named), "CDC_TEST_ODOO names no Odoo.");
        var settings = new NpgsqlConnectionStringBuilder(ConnectionText.ToNpgsql(named!)) { Pooling = false, PersistSecurityInfo = true };
        settings.Options = $"{settings.Options} -c default_transaction_read_only=on -c default_transaction_isolation=repeatable\\ read";
        var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync(Ct);
        return connection;
    }

    private static async Task<(OdooInstallation Odoo, EntitySet Entities)> PresetAsync(NpgsqlConnection real)
    {
        var odoo = await OdooInstallation.ReadAsync(real, Ct);
        Assert.NotNull(odoo);
        Assert.NotNull(odoo.Preset);
        return (
            odoo,
            EntityFile.Parse(
                $$"""{ "include": ["{{odoo.Preset}}", "contacts", "companies", "products", "rewards"], "entities": [] }""",
                "real.json"
            )
        );
    }

    /// <summary>A pipeline over a copy of the declared columns.</summary>
    private async Task<PipelineBed> FollowedAsync(NpgsqlConnection real, EntitySet entities)
    {
        var copy = await servers.Source.CreateDatabaseAsync("real_odoo", ct: Ct);
        await using (var snapshot = await real.BeginTransactionAsync(Ct))
            foreach (var entity in entities.All.DistinctBy(e => e.SourceName))
                await CopyAsync(real, copy, entity);
        var bed = PipelineBed.Over(copy, await servers.CreateEngineAsync("real_engine", Ct));
        bed.Entities = entities;
        foreach (var part in entities.Parts)
            await Preconditions.OfPreset(bed.Engine.DataSource, part)!.UpAsync(null, Ct);
        await DeclaredAggregate.EnsureAsync(bed.Engine.DataSource, entities, Ct);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct, TimeSpan.FromMinutes(30));
        return bed;
    }

    private static async Task CopyAsync(NpgsqlConnection real, TestDatabase copy, EntityDeclaration entity)
    {
        var types = (
            await RowsAsync(
                real,
                $"SELECT attname::text, format_type(atttypid, atttypmod), '' FROM pg_attribute WHERE attrelid = {Sql.Literal(entity.SourceName)}::regclass AND attnum > 0 AND NOT attisdropped"
            )
        ).ToDictionary(t => t.Item1, t => t.Item2);
        var columns = string.Join(", ", entity.SourceColumns.Select(c => Sql.Identifier(c.Name)));
        var definitions = entity.SourceColumns.Select(c => $"{Sql.Identifier(c.Name)} {types[c.Name]}");
        await copy.ExecuteAsync(
            $"CREATE TABLE {entity.SourceName} ({string.Join(", ", definitions)}, PRIMARY KEY ({Sql.Identifier(entity.Key.Name)}))",
            Ct
        );
        await using var target = await copy.DataSource.OpenConnectionAsync(Ct);
        await using var from = await real.BeginRawBinaryCopyAsync(
            $"COPY (SELECT {columns} FROM {entity.SourceRows}) TO STDOUT (FORMAT binary)",
            Ct
        );
        await using var to = await target.BeginRawBinaryCopyAsync($"COPY {entity.SourceName} ({columns}) FROM STDIN (FORMAT binary)", Ct);
        await from.CopyToAsync(to, Ct);
    }

    /// <summary>By Odoo's own columns, without the declaration: code, points and whether the card can be spent.</summary>
    private static string CardsSql(OdooInstallation odoo, EntitySet entities)
    {
        var program = entities.Serving(ServedRole.Program)!.SourceColumns.Select(c => c.Name).ToHashSet();
        var points =
            odoo.Major >= 20
                ? """
                    (SELECT coalesce(sum(round(coalesce(h.issued, 0)::numeric - coalesce(h.used, 0)::numeric, 2)), 0.00) FROM loyalty_history h LEFT JOIN loyalty_history l ON l.id = h.linked_loyalty_history_id
                     WHERE h.card_id = c.id AND (h.expiration_date IS NULL OR h.expiration_date >= today) AND (l.expiration_date IS NULL OR l.expiration_date >= today))
                    """
                : "round(coalesce(c.points::numeric, 0), 2)";
        var first = !program.Contains("date_from") ? "true" : "(p.date_from IS NULL OR p.date_from::date <= today)";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"""
            SELECT code, points::text, (points > 0 AND is_active AND (expiration_date IS NULL OR expiration_date >= today) AND coalesce(program_active, false) AND begun
                AND (date_to IS NULL OR date_to::date >= today))::text
            FROM (SELECT c.code, {points} AS points, {(
                odoo.Major >= 18 ? "coalesce(c.active, false)" : "true"
            )} AS is_active, c.expiration_date, p.active AS program_active,
                         {first} AS begun, p.date_to, today
                  FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS today) t CROSS JOIN loyalty_card c LEFT JOIN loyalty_program p ON p.id = c.program_id
                  ORDER BY c.id DESC LIMIT {MostCards}) cards
            """
        );
    }

    private static async Task<List<(string, string, string)>> RowsAsync(NpgsqlConnection connection, string sql) =>
        await connection.Statement(sql).RowsAsync(row => (row.GetString(0), row.GetString(1), row.GetString(2)), Ct);
}
