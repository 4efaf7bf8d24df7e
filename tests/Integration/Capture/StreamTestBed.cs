using Cdc.Capture;
using Cdc.Capture.Slot;
using Cdc.Capture.Source;
using Cdc.Capture.Stream;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Tests.Support.Capture;
using Cdc.Tests.Support.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Capture;

/// <summary>A database of its own with publication and slot, and a reader of it.</summary>
internal sealed class StreamTestBed : IAsyncDisposable
{
    private const string EndPrefix = "test-end";

    private PgOutputMapper? _mapper;

    private StreamTestBed(TestDatabase database, SourceOptions options, EntitySet entities) =>
        (Database, Options, Entities) = (database, options, entities);

    public TestDatabase Database { get; }
    public SourceOptions Options { get; }
    public EntitySet Entities { get; }

    public static async Task<StreamTestBed> CreateAsync(TestServers servers, string ddl, params string[] entities)
    {
        var ct = TestContext.Current.CancellationToken;
        var database = await servers.Source.CreateDatabaseAsync("capture", ct: ct);
        await database.ExecuteAsync(ddl, ct);
        var bed = new StreamTestBed(database, OptionsOf(database), Declared.Entities(entities));
        var setup = new SlotSetup(bed.Options, bed.Entities);
        await setup.EnsurePublicationAsync(ct);
        await setup.CreateSlotAsync(ct);
        return bed;
    }

    public static SourceOptions OptionsOf(TestDatabase database) =>
        new()
        {
            ConnectionString = database.ConnectionString,
            SlotName = database.Name,
            Publication = "cdc_test",
        };

    /// <summary>Change it before a start.</summary>
    internal DeferredKeys Deferred { get; set; } = new([]);

    public Task RunAsync(string sql) => Database.ExecuteAsync(sql, TestContext.Current.CancellationToken);

    public Task<T?> ScalarAsync<T>(string sql) => Database.ScalarAsync<T>(sql, TestContext.Current.CancellationToken);

    public Task<ReplicationSource> ConnectAsync(ReplicationTimeouts? timeouts = null) =>
        ReplicationSource.ConnectAsync(
            Options,
            timeouts ?? ReplicationTimeouts.Default,
            NullLogger.Instance,
            TestContext.Current.CancellationToken
        );

    public async Task<ReplicationSource> StartAsync(ReplicationTimeouts? timeouts = null, params int[] stopped)
    {
        var xid = await CurrentXidAsync();
        _mapper = new PgOutputMapper(new RelationMap(Entities, stopped, _ => 0), 1, new XidClock(xid), Deferred);
        var source = await ConnectAsync(timeouts);
        await source.StartAsync(Lsn.Zero, TestContext.Current.CancellationToken);
        return source;
    }

    /// <summary>Everything that was committed up to now, read over a connection of its own and not confirmed.</summary>
    public async Task<StreamRecorder> ReadAllAsync(params int[] stopped)
    {
        await using var source = await StartAsync(stopped: stopped);
        return await ReadAllAsync(source);
    }

    /// <summary>The same over a connection that was started before; it may be asked again for what was committed since.</summary>
    public async Task<StreamRecorder> ReadAllAsync(ReplicationSource source)
    {
        var ct = TestContext.Current.CancellationToken;
        var end = await EmitAsync(EndPrefix);
        var recorder = new StreamRecorder(Entities);
        while (!recorder.Messages.Contains((EndPrefix, end)) && await source.ReadAsync(ct) is { } message)
            _mapper!.Map(message.Payload.Span, message.WalStart, recorder);
        return recorder;
    }

    /// <summary>What it means that this slot cannot be streamed from.</summary>
    public static async Task<CdcException?> FailureOfAsync(SourceOptions options)
    {
        var ct = TestContext.Current.CancellationToken;
        await using var source = await ReplicationSource.ConnectAsync(options, NullLogger.Instance, ct);
        await source.StartAsync(Lsn.Zero, ct);
        var error = await Assert.ThrowsAsync<PostgresException>(async () =>
        {
            while (await source.ReadAsync(ct) is not null) { }
        });
        return await StreamDiagnosis.ExplainAsync(options, error, ct);
    }

    /// <summary>As when the catalog says so.</summary>
    public void GoOn(int entity, uint relation, ulong barrierXid) => _mapper!.Relations.GoOn(entity, relation, barrierXid);

    public async Task<Lsn> EmitAsync(string prefix)
    {
        await using var connection = await Database.DataSource.OpenConnectionAsync(TestContext.Current.CancellationToken);
        return await new SourceSession(connection).EmitMarkerAsync(prefix, [], TestContext.Current.CancellationToken);
    }

    public async Task<NpgsqlConnection> OpenAsync() => await Database.DataSource.OpenConnectionAsync(TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync() => Database.DisposeAsync();

    public async Task<ulong> CurrentXidAsync()
    {
        await using var connection = await OpenAsync();
        return (await new SourceSession(connection).SnapshotAsync(TestContext.Current.CancellationToken)).Xmax;
    }
}
