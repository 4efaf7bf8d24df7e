using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Engine;

/// <summary>
/// Asks the engine for an answer at every beat. A statement of the apply loop may take as long as it takes, so none of them has a time-out;
/// an engine that vanished without a message (half-open network) is noticed here.
/// </summary>
public static class EnginePulse
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <exception cref="NpgsqlException">No answer.</exception>
    public static async Task RunAsync(EngineOptions options, CancellationToken ct)
    {
        await using var connection = await EngineConnection.OpenAsync(options, EngineRole.Pulse, ct);
        await using var command = new NpgsqlCommand("SELECT 1", connection)
        {
            CommandTimeout = ServerTimeouts.Settings(options.ConnectionString, ServerTimeouts.AnswerSeconds).CommandTimeout,
        };
        using var timer = new PeriodicTimer(Interval);
        while (await timer.WaitForNextTickAsync(ct))
            await command.ExecuteNonQueryAsync(ct);
    }
}
