using Cdc.Core.Postgres;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Cdc.Engine.Processes;

/// <summary>
/// Says in the engine that this process is up, and how its pipeline stands: by a session of its own, which lives beside those of the
/// pipeline, since these end with each failure. It holds a lock that everybody sees, and its last statement is what it says.
/// </summary>
public sealed partial class ProcessAnnouncement(EngineOptions options, Func<ProcessStanding> standing, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    /// <summary>Said again, so that a session whose process has vanished without a message is known by its silence.</summary>
    private static readonly TimeSpan SaidAgainAfter = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private string? _saidLast;

    /// <summary>Until it is cancelled. An engine that does not answer is tried again, and said once.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await AnnounceAsync(ct);
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                Say(e);
                await Task.Delay(Pause, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception)
            {
                // Cancelled: a connection that was being opened may say that it timed out.
                return;
            }
        }
    }

    private async Task AnnounceAsync(CancellationToken ct)
    {
        await using var connection = await EngineConnection.OpenAsync(options, EngineRole.Process, ct);
        await connection.Statement("SELECT pg_try_advisory_lock_shared($1)", AdvisoryLocks.Processes).ScalarAsync<bool>(ct);
        ProcessStanding? said = null;
        long saidAt = 0;
        while (true)
        {
            var now = standing();
            if (now != said || time.GetElapsedTime(saidAt) > SaidAgainAfter)
            {
                await using var command = new NpgsqlCommand(now.ToStatement(), connection);
                await command.ExecuteNonQueryAsync(ct);
                (said, saidAt, _saidLast) = (now, time.GetTimestamp(), null);
            }
            await Task.Delay(Interval, time, ct);
        }
    }

    /// <summary>The first of its kind: that one is away the pipeline says too, but not that only this session is refused.</summary>
    private void Say(Exception e)
    {
        var failure = ServerFailure.Of(Server.Engine, e);
        var kind = failure?.Code ?? e.GetType().Name;
        if (kind != _saidLast)
            NotTold(log, failure?.Message ?? e.Message, failure?.Remedy ?? "Report it with the log.");
        _saidLast = kind;
    }

    [LoggerMessage(
        125,
        LogLevel.Warning,
        "Other processes are not told that this one is up ('cdc status' elsewhere): {Reason} {Remedy} It is tried again"
    )]
    private static partial void NotTold(ILogger log, string reason, string remedy);
}
