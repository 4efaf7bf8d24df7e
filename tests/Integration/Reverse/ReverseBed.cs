using System.Globalization;
using Cdc.Engine.Ownership;
using Cdc.Expressions.Declaration;
using Cdc.Odoo;
using Cdc.Odoo.Sequence;
using Cdc.Reverse;
using Cdc.Tests.Support.Odoo;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Workload;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using OdooClient = Cdc.Odoo.OdooClient;

namespace Cdc.Tests.Integration.Reverse;

/// <summary>
/// A stand-in Odoo with cards, a pipeline that follows its database, and an engine that owns the cards and sends its own changes back.
/// </summary>
internal sealed class ReverseBed : IAsyncDisposable
{
    /// <summary>What an installation declares: what flows back.</summary>
    private const string Card = """
        { "name": "card",
          "reverse": { "model": "loyalty.card", "number": "x_cdc_seq", "additive": ["points"], "fields": {
            "points": { "type": "double precision", "value": "points::double precision" },
            "partner_id": { "type": "bigint", "value": "partner_id" },
            "expiration_date": { "type": "date", "value": "expiration_date" } } } }
        """;

    private readonly List<Worker> _workers = [];
    private readonly string _folder = Directory.CreateTempSubdirectory("cdc-reverse-").FullName;

    private ReverseBed(PipelineBed bed, OdooStandIn odoo) => (Bed, Odoo) = (bed, odoo);

    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    public PipelineBed Bed { get; }
    public OdooStandIn Odoo { get; }
    public ReverseOptions Options { get; set; } = new() { PollInterval = TimeSpan.FromMilliseconds(50) };
    public OdooOptions OdooOptions { get; private set; } = new();

    /// <param name="cards">With the ids 1 to this, 100 points each, all the engine's.</param>
    public static async Task<ReverseBed> CreateAsync(TestServers servers, int cards, OdooVersion version = OdooVersion.Odoo19)
    {
        var bed = await PipelineBed.CreateAsync(servers, version, Ct);
        var odoo = await OdooStandIn.StartOverAsync(bed.Source, (int)version, Ct);
        var reverse = new ReverseBed(bed, odoo);
        await reverse.InstallAsync();
        bed.Declaration = Path.Combine(reverse._folder, "entities.json");
        await File.WriteAllTextAsync(bed.Declaration, $$"""{ "include": "{{version.Preset()}}", "entities": [ {{Card}} ] }""", Ct);
        bed.Entities = EntityFile.Load(bed.Declaration);
        await DeclaredOwnership.EnsureAsync(bed.Engine.DataSource, bed.Entities, _ => { }, Ct);
        await bed.Source.ExecuteAsync(
            $$"""
            INSERT INTO res_partner (id, name, active) SELECT i, 'Ada ' || i, true FROM generate_series(1000, 1010) i;
            INSERT INTO loyalty_program (id, company_id, currency_id, program_type, applies_on, name, active) VALUES (7, 1, 1, 'loyalty', 'both', '{"en_US": "Points"}', true);
            INSERT INTO loyalty_card (id, program_id, company_id, code, points, partner_id{{(
                version >= OdooVersion.Odoo18 ? ", active" : ""
            )}}) SELECT i, 7, 1, 'C' || i, 100, 1000{{(version >= OdooVersion.Odoo18 ? ", true" : "")}} FROM generate_series(1, {{cards}}) i
            """,
            Ct
        );
        var pipeline = bed.StartInProcess();
        // What ends the pipeline says more than that nothing comes.
        await await Task.WhenAny(pipeline.Completion, bed.CaughtUpAsync(Ct));
        await bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET owner = 'engine'", Ct);
        return reverse;
    }

    /// <summary>A process's worth of sending, in this process.</summary>
    public Worker Start()
    {
        var worker = new Worker(this);
        _workers.Add(worker);
        return worker;
    }

    public async Task StopAsync()
    {
        foreach (var worker in _workers)
            await worker.DisposeAsync();
        _workers.Clear();
    }

    /// <summary>The key is read from a file at each call.</summary>
    public void UseKeyFile(string file) => OdooOptions = OdooOptions with { Key = "", KeyFile = file };

    /// <summary>Settings of the real program.</summary>
    public Dictionary<string, string?> Environment(string? crashAt = null) =>
        new(Bed.Environment(crashAt))
        {
            ["CDC__Odoo__Url"] = OdooOptions.Url,
            ["CDC__Odoo__Database"] = OdooOptions.Database,
            ["CDC__Odoo__Login"] = OdooOptions.Login,
            ["CDC__Odoo__Key"] = OdooOptions.Key,
            ["CDC__Odoo__Action"] = OdooOptions.Action.ToString(CultureInfo.InvariantCulture),
            ["CDC__Reverse__BatchCards"] = Options.BatchCards.ToString(CultureInfo.InvariantCulture),
            ["CDC__Reverse__PollInterval"] = Options.PollInterval.ToString(),
        };

    /// <summary>The application's own change.</summary>
    public Task ChangeAsync(string sql) => Bed.Engine.ExecuteAsync(sql, Ct);

    /// <summary>Everything own is in Odoo, and its echo was applied; or it was given up.</summary>
    public Task SettledAsync() =>
        BecomesAsync(
            "",
            async () =>
                string.Join(
                    "; ",
                    await Bed.Engine.RowsAsync(
                        "SELECT card, number, status, answered_at, error FROM cdc.sync_log WHERE status = 'pending' LIMIT 5",
                        Ct
                    )
                )
        );

    /// <summary>Waits until the text is as expected; a time-out shows the last one, and the last lines of the log.</summary>
    public Task BecomesAsync(string expected, Func<Task<string>> text) =>
        Eventually.True(
            $"it is '{expected}'",
            async () => await text() == expected,
            async () => $"{await text()}\n{string.Join('\n', Bed.Log.Lines.TakeLast(10))}",
            TimeSpan.FromSeconds(60),
            Ct
        );

    /// <summary>Both sides have the same, with nothing left to explain.</summary>
    public async Task AssertSameAsync()
    {
        await SettledAsync();
        await Bed.CaughtUpAsync(Ct);
        await Bed.AssertEqualAsync(Ct);
        Assert.Equal(
            ["0"],
            await Bed.Engine.RowsAsync(
                "SELECT count(*) FROM loyalty_cards WHERE base IS NOT NULL OR own_number IS DISTINCT FROM odoo_number AND own_number IS NOT NULL",
                Ct
            )
        );
    }

    /// <summary>Odoo has a row of its history for each own change of points, with its name and amount, in the order of the numbers.</summary>
    public async Task AssertEachOnceAsync()
    {
        var sent = await Bed.Engine.RowsAsync(
            "SELECT card, uuid, ((after ->> 'points')::numeric - (before ->> 'points')::numeric)::double precision FROM cdc.sync_log WHERE after ? 'points' AND status = 'synced' ORDER BY card, number",
            Ct
        );
        Assert.NotEmpty(sent);
        Assert.Equal(
            sent,
            await Bed.Source.RowsAsync("SELECT card_id, x_cdc_ref, issued - used FROM loyalty_history ORDER BY card_id, id", Ct)
        );
    }

    public Task<IReadOnlyList<string>> OdooAsync(string columns = "points") =>
        Bed.Source.RowsAsync($"SELECT {columns} FROM loyalty_card ORDER BY id", Ct);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await Odoo.DisposeAsync();
        await Bed.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task InstallAsync()
    {
        OdooOptions = new OdooOptions
        {
            Url = Odoo.Address.ToString(),
            Database = Odoo.Database.Name,
            Login = Odoo.Login,
            Key = Odoo.Key,
            Attempts = 1,
        };
        using var client = await OdooClient.ConnectAsync(OdooOptions, TimeProvider.System, NullLogger.Instance, Ct);
        var action = await new SequenceInstaller(client, NullLogger.Instance).InstallAsync(Odoo.Login, Ct);
        OdooOptions = OdooOptions with { Action = action };
    }

    /// <summary>Sends until it is stopped.</summary>
    internal sealed class Worker : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _running;

        public Worker(ReverseBed bed)
        {
            var settings = new ReverseSettings(bed.Options, bed.OdooOptions, bed.Bed.EngineOptions);
            var worker = new ReverseWorker(settings, bed.Bed.Entities, TimeProvider.System, bed.Bed.Log);
            _running = Task.Run(() => worker.RunAsync(_stop.Token));
        }

        public async Task StopAsync()
        {
            await _stop.CancelAsync();
            await _running.WaitAsync(TimeSpan.FromSeconds(60));
        }

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            _stop.Dispose();
        }
    }
}
