using System.Diagnostics;
using System.Globalization;
using Cdc.Expressions.Declaration;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Processes;
using Cdc.Workload;
using Xunit;

namespace Cdc.Tests.Integration.Odoo;

/// <summary>
/// Installing a language updates every translated row in one transaction, programs twice, without a new write_date; an add-on's fields do that
/// to contacts. <c>CDC_TEST_PARTNERS=2000000</c> says how many there are; CI has a hundredth of it.
/// </summary>
public sealed class LanguageInstallTests(TestServers servers, ITestOutputHelper output) : IDisposable
{
    private const long MaxRssMib = 300;

    private static readonly int Partners = int.Parse(
        Environment.GetEnvironmentVariable("CDC_TEST_PARTNERS") ?? "20000",
        CultureInfo.InvariantCulture
    );

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cdc-language-");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Every_contact_and_every_program_updated_in_one_transaction_arrives_in_bounded_memory()
    {
        await using var cdc = await OdooCommands.CreateAsync(servers, OdooVersion.Odoo19);
        var declaration = Path.Combine(_folder.FullName, "own.json");
        await File.WriteAllTextAsync(declaration, """{ "include": ["odoo-19", "contacts"], "entities": [] }""", Ct);
        Assert.Equal(0, (await cdc.RunAsync(declaration, "migrate")).ExitCode);
        await cdc.Source.ExecuteAsync(
            $$"""
            INSERT INTO res_partner (id, name, active, write_date) SELECT i, 'Contact ' || i, true, '2026-01-01' FROM generate_series(1, {{Partners}}) i;
            INSERT INTO loyalty_program (id, currency_id, program_type, applies_on, name, portal_point_name, active) SELECT i, 1, 'loyalty', 'both', '{"en_US": "Points"}', '{"en_US": "Points"}', true FROM generate_series(1, 50) i;
            INSERT INTO loyalty_card (program_id, partner_id, code, points, active) SELECT 1 + i % 50, i, 'card ' || i, i, true FROM generate_series(1, 1000) i
            """,
            Ct
        );
        await using var run = await cdc.StartAsync(declaration);
        await CaughtUpAsync("loaded");
        await cdc.Source.ExecuteAsync(
            """
            BEGIN;
            UPDATE loyalty_program SET name = name || '{"fr_FR": "Cartes"}';
            UPDATE res_partner SET name = name || ' (fr)';
            UPDATE loyalty_program SET portal_point_name = portal_point_name || '{"fr_FR": "Points"}';
            COMMIT
            """,
            Ct
        );
        await CaughtUpAsync("updated in one transaction");
        Assert.Equal(Partners, await cdc.Engine.ScalarAsync<long>("SELECT count(*) FROM odoo_partners WHERE name LIKE '% (fr)'", Ct));
        var report = await new EqualityCheck(EntityFile.Load(declaration)).CompareAsync(cdc.Source.DataSource, cdc.Engine.DataSource, Ct);
        Assert.True(report.AreEqual, report.ToString());
        Assert.Equal(0, await run.StopAsync(Signal.Terminate, Ct));

        async Task CaughtUpAsync(string what)
        {
            var begun = Stopwatch.GetTimestamp();
            await EngineProgress.CatchUpAsync(cdc.Source.DataSource, cdc.Engine.DataSource, Ct, TimeSpan.FromMinutes(15));
            var taken = Stopwatch.GetElapsedTime(begun);
            var peak = PeakMib(run.Pid);
            output.WriteLine($"{Partners} contacts {what}: {taken.TotalSeconds:0.0} s, peak memory {peak} MiB");
            Assert.True(peak < MaxRssMib, $"{what}: {peak} MiB");
        }
    }

    private static long PeakMib(int pid)
    {
        var line = File.ReadLines($"/proc/{pid}/status").Single(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2].Trim(), CultureInfo.InvariantCulture) >> 10;
    }
}
