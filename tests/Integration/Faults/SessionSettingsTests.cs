using Cdc.Core.Postgres;
using Cdc.Testing.Waiting;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Processes;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Faults;

/// <summary>What others have set for their own reasons changes nothing.</summary>
public sealed class SessionSettingsTests(TestServers servers)
{
    private const string Hostile = """
        ALTER DATABASE {0} SET search_path = nowhere;
        ALTER DATABASE {0} SET quote_all_identifiers = on;
        ALTER DATABASE {0} SET default_transaction_isolation = serializable;
        ALTER DATABASE {0} SET default_transaction_deferrable = on;
        ALTER DATABASE {0} SET standard_conforming_strings = off;
        ALTER DATABASE {0} SET client_encoding = latin1;
        ALTER DATABASE {0} SET statement_timeout = '1s';
        ALTER DATABASE {0} SET lock_timeout = '1s';
        ALTER DATABASE {0} SET idle_in_transaction_session_timeout = '1s';
        ALTER DATABASE {0} SET idle_session_timeout = '1s';
        ALTER DATABASE {0} SET datestyle = 'German, DMY';
        ALTER DATABASE {0} SET intervalstyle = iso_8601;
        ALTER DATABASE {0} SET bytea_output = escape;
        ALTER DATABASE {0} SET extra_float_digits = -4;
        """;

    [Fact]
    public async Task Settings_of_either_database_and_of_the_environment_change_nothing()
    {
        await using var scene = await Scene.CreateAsync(servers);
        var address = $"http://127.0.0.1:{FreePort.Next()}";
        scene.Bed.ApiOptions = scene.Bed.ApiOptions with { Enabled = true, Urls = address };
        await BeHostileAsync(scene.Source);
        await BeHostileAsync(scene.Engine);
        var environment = new Dictionary<string, string?>(scene.Bed.Environment()) { ["PGCLIENTENCODING"] = "LATIN1" };
        await using var writer = new NpgsqlConnection(scene.Bed.SourceOptions.ConnectionString + ";Pooling=false");
        await writer.OpenPinnedAsync(Scene.Ct);
        // An open writer keeps the slot from being made for longer than the statement_timeout.
        await using var open = await writer.BeginTransactionAsync(Scene.Ct);
        await ExecuteAsync(writer, "INSERT INTO public.loyalty_card (program_id, code, points) VALUES (1, 'Grüße aus Łódź ☂', 1)");
        await using var run = await CdcProcess.StartAsync(["run"], environment, _ => { }, Scene.Ct);
        await Eventually.True(
            "the slot waits for the open transaction, for longer than a statement may take",
            async () => await WaitsAsync(scene),
            () => Task.FromResult(run.Tail),
            ct: Scene.Ct
        );
        await open.CommitAsync(Scene.Ct);
        await EqualAsync(scene, run);
        await AnswersAsync($"{address}/cards/{Uri.EscapeDataString("Grüße aus Łódź ☂")}/balance", run);
        await ExecuteAsync(writer, "UPDATE public.loyalty_card SET code = code || ' żółć', points = points + 0.1");
        // Idle for longer than a session may be.
        await Eventually.True(
            "the sessions have been idle for two seconds",
            async () =>
                await scene.Engine.ScalarAsync<bool>(
                    "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'cdc%' AND state = 'idle' AND state_change < clock_timestamp() - interval '2 s')",
                    Scene.Ct
                ),
            () => Task.FromResult(run.Tail),
            ct: Scene.Ct
        );
        await ExecuteAsync(writer, "UPDATE public.loyalty_card SET points = points + 1");
        await EqualAsync(scene, run);
        var (code, output) = await CdcProcess.RunAsync(["reconcile"], environment, Scene.Ct);
        Assert.True(code == 0, output);
        (code, output) = await CdcProcess.RunAsync(["check"], environment, Scene.Ct);
        Assert.True(code == 0, output);
        Assert.DoesNotContain("trying again", run.Tail, StringComparison.Ordinal);
        Assert.Equal(0, await run.StopAsync(Signal.Terminate, Scene.Ct));
    }

    private static async Task BeHostileAsync(TestDatabase database)
    {
        await database.ExecuteAsync(Hostile.Replace("{0}", database.Name, StringComparison.Ordinal), Scene.Ct);
        if (await database.ScalarAsync<int>("SELECT current_setting('server_version_num')::int", Scene.Ct) >= 170000)
            await database.ExecuteAsync($"ALTER DATABASE {database.Name} SET transaction_timeout = '1s'", Scene.Ct);
    }

    /// <summary>PGCLIENTENCODING acts in the Api too.</summary>
    private static async Task AnswersAsync(string address, WatchedProcess run)
    {
        using var http = new HttpClient();
        await Eventually.True(
            "the Api finds the card by its code",
            async () => (await http.GetAsync(address, Scene.Ct)).IsSuccessStatusCode,
            () => Task.FromResult(run.Tail),
            ct: Scene.Ct
        );
    }

    private static Task<bool> WaitsAsync(Scene scene) =>
        scene.Source.ScalarAsync<bool>(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_create_logical_replication_slot%' AND pid <> pg_backend_pid() AND state = 'active' AND query_start < clock_timestamp() - interval '2 s')",
            Scene.Ct
        );

    private static Task EqualAsync(Scene scene, WatchedProcess run) =>
        Eventually.True(
            "the engine has every card as Odoo has it",
            async () => await CardsAsync(scene.Source, "loyalty_card") == await CardsAsync(scene.Engine, "loyalty_cards"),
            async () =>
                $"{await CardsAsync(scene.Source, "loyalty_card")}{Environment.NewLine}{await CardsAsync(scene.Engine, "loyalty_cards")}{Environment.NewLine}{run.Tail}",
            ct: Scene.Ct
        );

    private static Task<string?> CardsAsync(TestDatabase database, string table) =>
        database.ScalarAsync<string>(
            $"SELECT coalesce(string_agg(upper(code COLLATE \"C\") || ' ' || points::numeric(20,4), ', ' ORDER BY id), '') FROM public.{table}",
            Scene.Ct
        );

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Scene.Ct);
    }
}
