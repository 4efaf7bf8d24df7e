using Cdc.Workload.Plan;
using Cdc.Workload.Seeding;
using Cdc.Workload.Transactions;
using Npgsql;

namespace Cdc.Workload;

/// <summary>
/// Behaves like Odoo on the loyalty tables. Each session's sequence of transactions follows from the seed; how sessions interleave does
/// not. A lost connection is opened again, so a run outlives a restart of its server.
/// </summary>
public sealed class WorkloadGenerator : IAsyncDisposable
{
    /// <summary>For the transaction that runs when the run is stopped.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);
    private readonly WorkloadOptions _options;
    private readonly TimeProvider _time;
    private readonly NpgsqlDataSource _source;
    private readonly WorkloadCounts _counts = new();
    private long? _started;

    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public WorkloadGenerator(WorkloadOptions options, TimeProvider? time = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Sessions);
        if (options.TransactionsPerSecond is { } rate)
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rate);
        if (options.Transactions is { } transactions)
            ArgumentOutOfRangeException.ThrowIfNegative(transactions);
        (_options, _time) = (options, time ?? TimeProvider.System);
        _source = NpgsqlDataSource.Create(ConnectionString(options));
    }

    /// <summary>What was done so far; may be asked while <see cref="RunAsync"/> runs.</summary>
    public WorkloadReport Progress => _counts.Report(_started is { } started ? _time.GetElapsedTime(started) : TimeSpan.Zero);

    /// <summary>Creates the tables if asked to, and adds the initial rows behind those that are there.</summary>
    public async Task PrepareAsync(CancellationToken ct)
    {
        await using var connection = await _source.OpenConnectionAsync(ct);
        if (_options.CreateTables)
            await OdooSchema.CreateAsync(connection, _options.Odoo, ct);
        if (_options.Odoo == OdooVersion.Delivered)
            await new InitialData(connection, _options.Seed, _options.Initial).WriteAsync(ct);
        else
            await new InitialStock(connection, _options.Odoo, _options.Seed, _options.Initial).WriteAsync(ct);
    }

    /// <summary>Runs until the duration, the number of transactions or <paramref name="ct"/> ends it; being cancelled is no error.</summary>
    public async Task<WorkloadReport> RunAsync(CancellationToken ct)
    {
        var decks = await DecksAsync(ct);
        _started = _time.GetTimestamp();
        using var duration = new CancellationTokenSource(_options.Duration ?? Timeout.InfiniteTimeSpan, _time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct, duration.Token);
        using var abort = new CancellationTokenSource();
        await using var grace = stop.Token.Register(() => abort.CancelAfter(Grace));
        await Task.WhenAll(decks.Select((deck, session) => RunSessionAsync(session, deck, abort.Token, stop.Token)));
        return Progress;
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private Task RunSessionAsync(int session, CardDeck deck, CancellationToken abort, CancellationToken stop)
    {
        var plan = new SessionPlan(_options.Seed, session, _options.Mix);
        var pacer = new Pacer(_time, _options.TransactionsPerSecond, _options.Sessions, session);
        // What does not divide evenly goes to the first sessions.
        var share = (_options.Transactions + _options.Sessions - 1 - session) / _options.Sessions;
        return Task.Run(
            () => new WorkloadSession(_source, _options, _counts, plan, deck).RunAsync(pacer, share, abort, stop),
            CancellationToken.None
        );
    }

    private async Task<IReadOnlyList<CardDeck>> DecksAsync(CancellationToken ct)
    {
        await using var connection = await _source.OpenConnectionAsync(ct);
        var cards = await new OdooConnection(connection).ListAsync("SELECT id FROM loyalty_card ORDER BY id", [], r => r.GetInt32(0), ct);
        var shared = cards.Take(cards.Count > 10 * CardDeck.SharedCards ? CardDeck.SharedCards : 0).ToList();
        return
        [
            .. Enumerable
                .Range(0, _options.Sessions)
                .Select(session => new CardDeck(
                    cards.Skip(shared.Count).Where((_, place) => place % _options.Sessions == session),
                    shared
                )),
        ];
    }

    private static string ConnectionString(WorkloadOptions options)
    {
        var builder = new NpgsqlConnectionStringBuilder(options.ConnectionString)
        {
            ApplicationName = "cdc-workload",
            MaxPoolSize = options.Sessions + 1,
            MaxAutoPrepare = 40,
            AutoPrepareMinUsages = 3,
        };
        if (!options.SynchronousCommit)
            builder.Options = $"{builder.Options} -c synchronous_commit=off";
        return builder.ConnectionString;
    }
}
