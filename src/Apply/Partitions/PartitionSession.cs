using Cdc.Apply.Rows;
using Cdc.Core.Failures;
using Cdc.Core.Telemetry;
using Cdc.Engine;
using Cdc.Engine.Tables;
using Cdc.Log.Kafka;
using Microsoft.Extensions.Logging;

namespace Cdc.Apply.Partitions;

/// <summary>
/// One life of one worker that applies the Kafka log: a member of the group, an owner of the checkpoints of the partitions it is given, and
/// a connection to the engine. Nothing in it survives a failure.
/// </summary>
/// <param name="tables">The worker's, for all of its sessions.</param>
public sealed class PartitionSession(
    EngineOptions options,
    EngineTableWatch tables,
    LogTopics topics,
    Func<TakePartitions, KafkaLogReader> read,
    PipelineStatistics statistics,
    ILogger log
)
{
    private volatile PartitionLoop? _loop;

    /// <summary>This session has applied something. Read while it runs, from another thread.</summary>
    public bool HasCommitted => _loop is { HasCommitted: true };

    /// <summary>Until it is cancelled, or anything fails.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        var primary = await EngineErrors.GuardAsync(() => EngineConnection.OnPrimaryAsync(options, ct));
        var table = new PartitionTable(primary, Guid.NewGuid());
        await using var connection = await EngineErrors.GuardAsync(() => table.ConnectAsync(ct));
        PartitionCount.Require(topics, await EngineErrors.GuardAsync(() => PartitionTable.NamesAsync(connection, ct)));
        var entities = tables.Entities;
        var knowledge = new EngineKnowledge(entities);
        var writer = await EngineErrors.GuardAsync(() => new WriterFactory(entities, knowledge, log).CreateAsync(connection, ct));
        await using var reader = read((partitions, cancel) => TakeAsync(table, partitions, cancel));
        var batches = new WriteBehind(writer, null, statistics);
        _loop = new PartitionLoop(primary, batches, table, knowledge, reader, statistics);
        try
        {
            await RunAsync(_loop, primary, tables, ct);
        }
        catch (DeclaredGapException gap) when (!ct.IsCancellationRequested)
        {
            await RequireMarksAsync(primary, gap, ct);
            throw;
        }
    }

    /// <summary>A record is judged by where its generation began, and not by where the one before did.</summary>
    private static async Task RequireMarksAsync(EngineOptions primary, DeclaredGapException gap, CancellationToken ct)
    {
        var isBeginning = await EngineErrors.GuardAsync(async () =>
        {
            await using var connection = await EngineConnection.OpenAsync(primary, EngineRole.Assign, ct);
            return await PartitionTable.IsBeginningAsync(connection, ct);
        });
        if (isBeginning)
            throw new CdcException(
                FailureKind.Unavailable,
                "A generation begins, and the capture has not said yet where.",
                "Start 'cdc capture' (or 'cdc run'): the partitions go on as soon as it has begun.",
                gap
            );
    }

    private static async Task RunAsync(PartitionLoop loop, EngineOptions primary, EngineTableWatch tables, CancellationToken ct)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await TaskGroup.RunAsync(
            ended,
            EngineErrors.GuardAsync(() => loop.RunAsync(ended.Token)),
            EngineErrors.GuardAsync(() => EnginePulse.RunAsync(primary, tables, ended.Token))
        );
    }

    private static Task<PartitionsTaken> TakeAsync(PartitionTable table, IReadOnlyList<LogPartition> partitions, CancellationToken ct) =>
        EngineErrors.GuardAsync(async () =>
        {
            var taken = await table.TakeAsync([.. partitions.Select(p => p.Name)], ct);
            return new PartitionsTaken(
                [.. taken.Select(t => new PartitionStart(t.Next, t.PassedUntil))],
                [.. partitions.Zip(taken, (partition, t) => new PartitionCheckpoint(partition, t.Next, t.PassedUntil, t.Last, t.Sequences))]
            );
        });
}
