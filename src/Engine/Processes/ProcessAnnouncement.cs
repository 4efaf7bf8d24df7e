using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Engine.Processes;

/// <summary>
/// Says in the engine that this process is up, and how its pipeline stands: by a session of its own, which lives beside those of the
/// pipeline, since these end with each failure. It holds a lock that everybody sees, and its last statement is what it says.
/// </summary>
public sealed class ProcessAnnouncement(EngineOptions options, Func<ProcessStanding> standing, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    /// <summary>Said again, so that a session whose process has vanished without a message is known by its silence.</summary>
    private static readonly TimeSpan SaidAgainAfter = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    /// <summary>Until it is cancelled. An engine that does not answer is tried again: what is wrong with it the pipeline says.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await AnnounceAsync(ct);
            }
            catch (Exception) when (!ct.IsCancellationRequested)
            {
                await Task.Delay(Pause, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException)
            {
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
                await using var command = new NpgsqlCommand(now.ToStatement(), connection)
                {
                    CommandTimeout = ServerTimeouts.AnswerSeconds,
                };
                await command.ExecuteNonQueryAsync(ct);
                (said, saidAt) = (now, time.GetTimestamp());
            }
            await Task.Delay(Interval, time, ct);
        }
    }
}
