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

    /// <summary>How often the engine's tables are looked at.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(2);

    /// <exception cref="NpgsqlException">No answer.</exception>
    public static Task RunAsync(EngineOptions options, EngineTableWatch tables, CancellationToken ct) =>
        RunAsync(options, Interval, "SELECT 1", _ => { }, tables, ct);

    /// <summary>For a process that has sessions at the source too: it ends when they are to end.</summary>
    /// <exception cref="NpgsqlException">No answer.</exception>
    /// <exception cref="PausedException">The source is to be let go of.</exception>
    public static Task RunUntilPausedAsync(EngineOptions options, EngineTableWatch tables, CancellationToken ct) =>
        RunAsync(
            options,
            PauseInterval,
            SourceQueries.PauseSql,
            row => throw new PausedException(SourceQueries.ReadPause(row)),
            tables,
            ct
        );

    private static async Task RunAsync(
        EngineOptions options,
        TimeSpan interval,
        string question,
        Action<NpgsqlDataReader> read,
        EngineTableWatch tables,
        CancellationToken ct
    )
    {
        await using var connection = await EngineConnection.OpenAsync(options, EngineRole.Pulse, ct);
        await using var command = new NpgsqlCommand(question, connection);
        using var timer = new PeriodicTimer(interval);
        // At once: what changed between two sessions is seen before the first row fails by it.
        for (var looked = TimeSpan.MaxValue; ; looked += interval)
        {
            if (looked >= LookInterval)
            {
                await tables.LookAsync(connection, ct);
                looked = TimeSpan.Zero;
            }
            if (!await timer.WaitForNextTickAsync(ct))
                return;
            await using var row = await command.ExecuteReaderAsync(ct);
            if (await row.ReadAsync(ct))
                read(row);
        }
    }
}
