using Cdc.Api.Balances;
using Cdc.Api.Engine;
using Cdc.Api.Freshness;
using Cdc.Core.Changes;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Api.Replicas;

/// <summary>
/// Asks a replica where its answer is as good as the engine's own and takes nothing back, and the engine everywhere else.
/// </summary>
internal sealed class ReadRouter(EngineReads engine, ReplicaReads replicas, AnswerFloors floors, CardCache cache)
{
    /// <param name="demand">What the answer of a replica must meet. The engine's is returned however it is.</param>
    /// <returns>The answer, and the cache's mark: nothing announced before it is missing in the answer.</returns>
    /// <exception cref="EngineUnavailableException"/>
    public async Task<(T Answer, long Mark)> ReadAsync<T>(EngineQuery<T> query, FreshnessDemand demand, CancellationToken ct)
        where T : IRoutedAnswer
    {
        if (
            !demand.EngineOnly
            && replicas.AreThere
            && cache.Beat is { } beat
            && await replicas.TryAskAsync(query, beat, demand, ct) is { } answer
        )
        {
            floors.Raise(answer.Value.Subjects, answer.Received);
            return (answer.Value, beat.Mark);
        }
        var mark = cache.Mark();
        if (!replicas.AreThere)
            return (await engine.UseAsync(c => query.AskAsync(c, ct), ct), mark);
        var (value, written) = await engine.UseAsync(c => AskAsync(c, query, ct), ct);
        floors.Raise(value.Subjects, written);
        return (value, mark);
    }

    /// <summary>In one trip; the engine's WAL is asked for after the answer, so that all that the answer shows is below it.</summary>
    private static async Task<(T Value, Lsn Written)> AskAsync<T>(NpgsqlConnection connection, EngineQuery<T> query, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands = { query.Command(), new("SELECT pg_current_wal_insert_lsn()") },
        };
        await using var row = await batch.ExecuteReaderAsync(ct);
        var value = await query.Read(row, ct);
        await row.NextResultAsync(ct);
        await row.ReadAsync(ct);
        return (value, new Lsn((ulong)row.GetFieldValue<NpgsqlLogSequenceNumber>(0)));
    }
}
