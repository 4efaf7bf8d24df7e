using Cdc.Core.Entities;
using Cdc.Core.Snapshots;
using Cdc.Expressions.Declaration;
using Cdc.Reconcile;
using Cdc.Reconcile.Comparing;
using Cdc.Reconcile.Reports;
using Cdc.Reconcile.Runs;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Reconcile;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Reconcile;

/// <summary>Odoo's tables and the engine's, equal and quiet, for comparisons to be fooled on.</summary>
internal sealed class ComparisonBed : IAsyncDisposable
{
    private ComparisonBed(TestDatabase source, TestDatabase engine, EntitySet entities)
    {
        (Source, Engine, Entities) = (source, engine, entities);
        Fence = new QuietFence(source.DataSource, engine.DataSource);
    }

    public TestDatabase Source { get; }
    public TestDatabase Engine { get; }
    public EntitySet Entities { get; }
    public QuietFence Fence { get; private set; }

    public ComparedServers Servers => new(Source.DataSource, Engine.DataSource, Fence, Entities);
    public ReconcileOptions Options { get; set; } = new();

    /// <summary>Connections of another role than the superuser; null: his.</summary>
    public NpgsqlDataSource? Reader
    {
        get;
        set => Fence = new QuietFence((field = value) ?? Source.DataSource, Engine.DataSource);
    }

    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <param name="rows">Inserts into Odoo's tables, before they are copied.</param>
    /// <param name="own">Null: the delivered entities.</param>
    public static async Task<ComparisonBed> CreateAsync(TestServers servers, string rows = "", OwnTables? own = null)
    {
        var bed = new ComparisonBed(
            await servers.CreateOdooAsync("cmp", Ct),
            await servers.CreateEngineAsync("cmp_engine", Ct),
            own?.Entities ?? EntityFile.Load(SourceTree.PathOf("schemas/entities.json"))
        );
        if (own is not null)
        {
            await bed.Source.ExecuteAsync(own.Source, Ct);
            await bed.Engine.ExecuteAsync(own.Engine, Ct);
        }
        // Rows are put in as if their parents were there.
        await bed.Source.ExecuteAsync(
            string.Concat(bed.Entities.All.Select(e => $"ALTER TABLE {e.SourceName} DISABLE TRIGGER ALL; ")) + rows,
            Ct
        );
        foreach (var entity in bed.Entities.All)
        {
            await bed.Engine.ExecuteAsync(
                $"ALTER TABLE {entity.EngineName} DISABLE TRIGGER ALL; INSERT INTO cdc.tables (entity, state) VALUES ('{entity.Name}', 'streaming')",
                Ct
            );
            await EngineFill.CopyAsync(entity, bed.Source.DataSource, bed.Engine.DataSource, Ct);
        }
        return bed;
    }

    /// <summary>Cards with keys from 1 on; every value is the key's function.</summary>
    public static string Cards(int count) =>
        $"""
            INSERT INTO loyalty_card (id, program_id, partner_id, company_id, code, points, create_date, write_date)
            SELECT g, 1 + g % 5, CASE WHEN g % 10 > 0 THEN g END, 1 + g % 3, ' c-' || g || chr(9), (g * 7919::bigint % 1000000) / 100.0,
                   timestamp '2024-01-01' + g * interval '1.000001 s', timestamp '2024-06-01' + g * interval '1 s'
            FROM generate_series(1, {count}) g;
            """;

    /// <summary>History rows, each of the card with its own number.</summary>
    public static string History(int count) =>
        $"""
            INSERT INTO loyalty_point_history (id, loyalty_card_id, point_move_id, points_amount, points_balance, transaction_time, origin, create_date)
            SELECT g, g, CASE WHEN g % 2 = 0 THEN g END, g % 1000 - 500.25, g % 100000 + 0.1, timestamp '2024-01-01' + g * interval '1 min', 'Shop/' || g, timestamp '2024-01-01' + g * interval '1 min'
            FROM generate_series(1, {count}) g;
            """;

    public async Task<Compared> CompareAsync(string entity, KeyRange range = default, DateTimeOffset? since = null, int maxDrift = 10_000)
    {
        var comparison = new EntityComparison(
            Entities.Find(entity)!,
            Servers with
            {
                Source = Reader ?? Source.DataSource,
            },
            Options,
            since
        );
        var slices = new List<ComparedSlice>();
        await foreach (var slice in comparison.CompareAsync(KeySpan.Of(range), () => maxDrift, Ct))
            slices.Add(slice);
        return new Compared(slices);
    }

    /// <summary>A run as <c>cdc reconcile</c> makes it; its report.</summary>
    public async Task<RunReport> RunAsync(
        RunKind kind,
        string[] names,
        KeyRange range = default,
        DateTimeOffset? since = null,
        bool violations = false,
        IProgress<ReconcileProgress>? progress = null,
        CancellationToken? ct = null
    )
    {
        var reconciler = new Reconciler(Servers, Options, progress);
        var run = await reconciler.RunAsync(
            new RunRequest(kind, [.. names.Select(n => Entities.Find(n)!)], range, since, violations),
            ct ?? Ct
        );
        return await ReportAsync(run);
    }

    public async Task<RunReport> ReportAsync(long run)
    {
        await using var connection = await Engine.DataSource.OpenConnectionAsync(Ct);
        return await ReportReader.ReadAsync(connection, run, 1000, Ct);
    }

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await Engine.DisposeAsync();
    }
}

/// <summary>Entities of a test's own.</summary>
/// <param name="Source">Creates their tables in the source.</param>
/// <param name="Engine">Creates their tables in the engine.</param>
internal sealed record OwnTables(EntitySet Entities, string Source, string Engine);

/// <summary>What a comparison gave, all slices together.</summary>
internal sealed record Compared(IReadOnlyList<ComparedSlice> Slices)
{
    public SliceNumbers Numbers => Slices.Aggregate(new SliceNumbers(), (sum, slice) => sum + slice.Result.Numbers);

    public IReadOnlyList<DriftRecord> Drift => [.. Slices.SelectMany(s => s.Result.Drift)];

    public long Unlisted => Slices.Sum(s => s.Result.Unlisted);

    /// <summary>Such as <c>7 points 1.00 1.01</c>, one for each difference.</summary>
    public IReadOnlyList<string> Differences =>
        [.. Drift.Select(d => $"{d.Key} {d.Field} {d.OdooValue ?? "NULL"} {d.EngineValue ?? "NULL"}")];
}
