using Cdc.Engine;
using Cdc.Reconcile.Alerts;
using Cdc.Reconcile.Continuous;
using Cdc.Reconcile.Fences;
using Cdc.Reconcile.Requests;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Time;

namespace Cdc.Tests.Integration.Reconcile;

/// <summary>A comparison beside a pipeline that is not there: two quiet databases, and a clock that the test moves.</summary>
internal sealed class ContinuousBed : IAsyncDisposable
{
    public static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false });

    private ContinuousBed(ComparisonBed bed) => Bed = bed;

    public ComparisonBed Bed { get; }
    public TestDatabase Engine => Bed.Engine;
    public ManualTime Time { get; } = new(Noon);
    public RecordedLog Log { get; } = new();
    public ContinuousOptions Options { get; set; } = new() { LoadPercent = 100 };
    public AlertOptions Alerts { get; set; } = new();

    /// <summary>Null: those of the quiet databases.</summary>
    public IFence? Fences { get; set; }

    /// <param name="cards">Equal on both sides.</param>
    public static async Task<ContinuousBed> CreateAsync(TestServers servers, int cards)
    {
        var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(cards));
        await bed.Engine.ExecuteAsync(
            """
            INSERT INTO cdc.source (state, generation, session, system_identifier, timeline, database_name, slot, publication) VALUES ('streaming', 1, 1, '1', 1, 'odoo', 's', 'p');
            INSERT INTO cdc.checkpoints (partition, generation, through_lsn, owner_token) VALUES ('all', 1, '0/1', gen_random_uuid())
            """,
            ComparisonBed.Ct
        );
        return new ContinuousBed(bed);
    }

    /// <summary>As a process would have it that just began.</summary>
    public ContinuousWorker Worker() =>
        new(
            Bed.Servers with
            {
                Fences = Fences ?? Bed.Fence,
            },
            new KeyReads(Engine.ConnectionString, Log),
            new ContinuousSettings(Bed.Options, Options, Alerts, new EngineOptions().DeleteLimit),
            _http,
            Time,
            Log
        );

    /// <summary>Moves the clock by a minute, and does what is due then, by a new process each time.</summary>
    public async Task MinuteAsync(int times = 1)
    {
        for (var i = 0; i < times; i++)
        {
            Time.Advance(TimeSpan.FromMinutes(1));
            await Worker().PassAsync(ComparisonBed.Ct);
        }
    }

    /// <summary>Such as <c>nightly full consistent</c>, in order.</summary>
    public Task<IReadOnlyList<string>> RunsAsync() =>
        Engine.RowsAsync(
            "SELECT trigger || ' ' || kind || ' ' || coalesce(verdict, state) FROM cdc.reconcile_runs ORDER BY id",
            ComparisonBed.Ct
        );

    /// <summary>Names of the alerts that have fired.</summary>
    public async Task<string> FiredAsync() =>
        string.Join(
            ' ',
            (
                await Engine.RowsAsync(
                    "SELECT name FROM cdc.alerts WHERE state = 'fired' ORDER BY array_position(ARRAY['warning', 'alert', 'remediation', 'page'], name)",
                    ComparisonBed.Ct
                )
            )
        );

    public Task DamageAsync(int cards) =>
        Engine.ExecuteAsync($"UPDATE loyalty_cards SET points = points + 1 WHERE id <= {cards}", ComparisonBed.Ct);

    public Task CorrectAsync(int cards) =>
        Engine.ExecuteAsync($"UPDATE loyalty_cards SET points = points - 1 WHERE id <= {cards}", ComparisonBed.Ct);

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await Bed.DisposeAsync();
    }
}
