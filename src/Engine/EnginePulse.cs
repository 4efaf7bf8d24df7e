using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Engine.Tables;
using Npgsql;

namespace Cdc.Engine;

/// <summary>
/// Asks the engine for an answer at every beat. A statement of the apply loop may take as long as it takes, so none of them has a time-out;
/// an engine that vanished without a message (half-open network) is noticed here.
/// </summary>
public static class EnginePulse
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>How soon the source is let go of.</summary>
    private static readonly TimeSpan PauseInterval = TimeSpan.FromMilliseconds(500);

    /// <exception cref="NpgsqlException">No answer.</exception>
    public static Task RunAsync(EngineOptions options, CancellationToken ct) => RunAsync(options, Interval, "SELECT 1", _ => { }, ct);

    /// <summary>For a process that has sessions at the source too: it ends when they are to end.</summary>
    /// <exception cref="NpgsqlException">No answer.</exception>
    /// <exception cref="PausedException">The source is to be let go of.</exception>
    public static Task RunUntilPausedAsync(EngineOptions options, CancellationToken ct) =>
        RunAsync(options, PauseInterval, SourceQueries.PauseSql, row => throw new PausedException(SourceQueries.ReadPause(row)), ct);

    private static async Task RunAsync(
        EngineOptions options,
        TimeSpan interval,
        string question,
        Action<NpgsqlDataReader> read,
        CancellationToken ct
    )
    {
        await using var connection = await EngineConnection.OpenAsync(options, EngineRole.Pulse, ct);
        await using var command = new NpgsqlCommand(question, connection)
        {
            CommandTimeout = ServerTimeouts.Settings(options.ConnectionString, ServerTimeouts.AnswerSeconds).CommandTimeout,
        };
        using var timer = new PeriodicTimer(interval);
        while (await timer.WaitForNextTickAsync(ct))
        {
            await using var row = await command.ExecuteReaderAsync(ct);
            if (await row.ReadAsync(ct))
                read(row);
        }
    }
}
