using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Core.Snapshots;
using Cdc.Engine.Requests;
using Cdc.Engine.Tables;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Cdc.Reconcile.Requests;

/// <summary>
/// Has the running pipeline read exactly some keys again, which is how rows are repaired: they travel in the stream as a chunk, so nothing
/// newer is overwritten. A key that Odoo has not is removed from the engine, after this second reading, at its own position; one that was
/// in flight there is left to its own event. To be sure, compare again afterwards.
/// </summary>
/// <param name="engine">Connection string of a role that may ask for reads (<c>cdc grants engine --for reconcile</c>).</param>
/// <param name="log">Gets a line when a request takes long.</param>
public sealed class KeyReads(string engine, ILogger log, TimeProvider? time = null)
{
    /// <summary>A thousand keys are read within seconds. A longer wait is logged, at this interval.</summary>
    internal static readonly TimeSpan LogEvery = TimeSpan.FromSeconds(30);

    /// <summary>Time-out: behind loads of large tables a request may take long.</summary>
    internal static readonly TimeSpan Timeout = TimeSpan.FromMinutes(30);

    /// <summary>The pipeline notifies. This is for a notification that was lost.</summary>
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(2);

    /// <summary>The request survives both processes; it stays open until a pipeline serves it.</summary>
    /// <returns>Its id.</returns>
    public async Task<long> AskAsync(EntityDeclaration entity, IReadOnlyCollection<long> keys, CancellationToken ct)
    {
        await using var connection = await OpenAsync(ct);
        return await AskAsync(connection, entity, keys, ct);
    }

    /// <summary>The same within the transaction of a connection.</summary>
    internal static async Task<long> AskAsync(
        NpgsqlConnection connection,
        EntityDeclaration entity,
        IReadOnlyCollection<long> keys,
        CancellationToken ct
    )
    {
        if (keys.Count == 0)
            throw new ArgumentException("No keys are asked for.", nameof(keys));
        return await SnapshotRequests.AskAsync(connection, entity.Name, [.. keys], ct);
    }

    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <exception cref="CdcException">Refused: the pipeline refused it, and says why. Unavailable: it was not served in half an hour; it
    /// stays open.</exception>
    public async Task<KeyReadAnswer> WaitAsync(long request, CancellationToken ct)
    {
        var (began, logged) = (_time.GetTimestamp(), 0);
        await using var connection = await OpenAsync(ct);
        var notified = false;
        connection.Notification += (_, _) => notified = true;
        await connection.Statement($"LISTEN {RequestChannels.Answers}").ExecuteAsync(ct);
        while (true)
        {
            // A notification may come with the answer of the question itself.
            notified = false;
            var (state, answer) =
                await SnapshotRequests.AnswerAsync(connection, request, ct)
                ?? throw new CdcException(FailureKind.Refused, $"There is no request {request} any more.", "Ask again.");
            if (state == RequestState.Done)
                return new KeyReadAnswer(request, answer);
            if (state == RequestState.Refused)
                throw new CdcException(FailureKind.Refused, $"Request {request} was refused: {answer}", "cdc status");
            var waited = _time.GetElapsedTime(began);
            if (waited >= Timeout)
                throw new CdcException(
                    FailureKind.Unavailable,
                    $"Request {request} was not served within {Timeout.TotalMinutes:0} minutes.",
                    "Start 'cdc run', or see with 'cdc status' what keeps it: the request stays open, and is served then."
                );
            if (waited >= LogEvery * (logged + 1))
            {
                ReconcileLog.StillWaiting(log, request, (long)waited.TotalSeconds);
                logged = (int)(waited / LogEvery);
            }
            if (!notified)
                await connection.WaitAsync(PollInterval, ct);
        }
    }

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken ct)
    {
        var connection = new NpgsqlConnection(SessionSettings.Connection(engine).ConnectionString);
        try
        {
            await connection.OpenPinnedAsync(ct);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}

/// <param name="Answer">As the pipeline says it: <c>3 rows read, 1 rows removed</c>.</param>
public sealed record KeyReadAnswer(long Request, string Answer);
