using System.Diagnostics;
using Npgsql;

namespace Cdc.Bench.Measure;

/// <summary>Polls one query over one connection, often enough to time the answer and rarely enough not to slow it.</summary>
internal sealed class Probe : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(3);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(20);
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlCommand _command;

    private Probe(NpgsqlConnection connection, NpgsqlCommand command) => (_connection, _command) = (connection, command);

    /// <param name="sql">Gives one value that is not NULL.</param>
    public static async Task<Probe> OpenAsync(BenchDatabase database, string sql, CancellationToken ct)
    {
        var connection = await database.OpenAsync(ct);
        var command = new NpgsqlCommand(sql, connection);
        await command.PrepareAsync(ct);
        return new Probe(connection, command);
    }

    /// <summary>Returns the moment (<see cref="Stopwatch.GetTimestamp"/>) at which the condition was seen to hold.</summary>
    /// <param name="guard">Called between two polls; throws when waiting cannot succeed.</param>
    public async Task<long> UntilAsync<T>(Func<T, bool> holds, Action guard, CancellationToken ct)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            var seen = (T)(await _command.ExecuteScalarAsync(ct))!;
            var now = Stopwatch.GetTimestamp();
            if (holds(seen))
                return now;
            guard();
            if (Stopwatch.GetElapsedTime(began) > Limit)
                throw new TimeoutException($"Not within {Limit.TotalMinutes} min: {_command.CommandText}. Last answer: {seen}");
            await Task.Delay(Pause, ct);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _command.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
