using Cdc.Core.Entities;
using Cdc.Tests.Integration.Pipeline.Matrix;
using Cdc.Tests.Support.Pipeline;
using Npgsql;

namespace Cdc.Tests.Integration.Pipeline.Histories;

/// <summary>Keeps one pipeline running, in this process or as the real one, and disturbs it.</summary>
/// <param name="losesSlots">The slot is dropped too: everything written meanwhile is found by reading everything again.</param>
/// <param name="moves">Changes of the tables, each mended later; null: none.</param>
internal sealed class Disturbances(PipelineBed bed, Random random, bool losesSlots, TableMoves? moves) : IAsyncDisposable
{
    private NpgsqlConnection? _holder;
    private InProcessPipeline? _inProcess;
    private WatchedProcess? _process;

    /// <summary>How often each was done.</summary>
    public Dictionary<string, int> Done { get; } = [];

    public void Start()
    {
        _inProcess = bed.StartInProcess();
    }

    public async Task NextAsync(CancellationToken ct)
    {
        await LetGoAsync();
        if (moves is not null && random.Next(3) == 0)
        {
            Count(await moves.NextAsync());
            return;
        }
        switch (random.Next(100))
        {
            case < 25:
                await SnapshotAsync(ct);
                break;
            case < 35:
                await RetryAsync(ct);
                break;
            case < 45:
                await HoldAsync(ct);
                break;
            case < 60:
                await DisconnectAsync(ct);
                break;
            case < 70 when losesSlots:
                await LoseSlotAsync(ct);
                break;
            case < 85:
                await RestartAsync(ct);
                break;
            default:
                await KillAsync(ct);
                break;
        }
    }

    /// <summary>The stream may go on, and every table can be followed.</summary>
    public async Task ReleaseAsync()
    {
        await LetGoAsync();
        if (moves is not null)
            await moves.MendAsync();
    }

    /// <summary>The end of whatever runs; throws what it failed with.</summary>
    public async Task StopAsync(CancellationToken ct)
    {
        if (_inProcess is not null)
            await _inProcess.StopAsync();
        if (_process is not null && await _process.StopAsync(Signal.Terminate, ct) is var code and not 0)
            throw new InvalidOperationException($"cdc run ended with exit code {code}: {_process.Tail}");
        (_inProcess, _process) = (null, null);
    }

    public async ValueTask DisposeAsync() => await LetGoAsync();

    public string Describe() =>
        string.Join(", ", Done.Select(d => $"{d.Key} {d.Value}"))
        + Environment.NewLine
        + (_process?.Tail ?? string.Join(Environment.NewLine, bed.Log.Lines.TakeLast(40)))
        + _inProcess?.Completion.Exception;

    private async Task LetGoAsync()
    {
        if (_holder is not null)
            await _holder.DisposeAsync();
        _holder = null;
    }

    private async Task SnapshotAsync(CancellationToken ct)
    {
        Count("snapshot");
        var entity = bed.Entities.All[random.Next(bed.Entities.Count)];
        var from = random.Next(3) == 0 ? "NULL" : $"{Key(entity, random.Next(12))}";
        var to = random.Next(3) == 0 ? "NULL" : $"{Key(entity, random.Next(12, 120))}";
        await bed.Engine.ExecuteAsync(
            $"INSERT INTO cdc.requests (kind, entity, from_key, to_key) VALUES ('snapshot', '{entity.Name}', {from}, {to})",
            ct
        );
    }

    /// <summary>Of two columns: four keys for each value of the first; of a hash a 128th of what it can be.</summary>
    private static long Key(EntityDeclaration entity, int number) =>
        entity.HashedKey is not null ? long.MinValue + 1 + ((long)number << 54)
        : entity.SecondKey is null ? number
        : KeyPair.Number(number / 4, number % 4 + 1)!.Value;

    private async Task RetryAsync(CancellationToken ct)
    {
        Count("retry");
        await bed.Engine.ExecuteAsync("UPDATE cdc.quarantine SET retry_requested = true", ct);
    }

    /// <summary>Until the next disturbance the stream cannot commit, and falls behind the chunks that are loaded beside it.</summary>
    private async Task HoldAsync(CancellationToken ct)
    {
        Count("hold");
        _holder = new NpgsqlConnection(bed.Engine.ConnectionString + ";Pooling=false");
        await _holder.OpenAsync(ct);
        await using var command = new NpgsqlCommand("BEGIN; SELECT FROM cdc.checkpoints FOR SHARE", _holder);
        await command.ExecuteNonQueryAsync(ct);
    }

    private async Task DisconnectAsync(CancellationToken ct)
    {
        Count("disconnect");
        var (database, sessions) =
            random.Next(2) == 0
                ? (bed.Source, "pid IN (SELECT active_pid FROM pg_replication_slots)")
                : (bed.Engine, "application_name IN ('cdc apply', 'cdc load', 'cdc feedback')");
        await database.ExecuteAsync(
            $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND {sessions}",
            ct
        );
    }

    private async Task LoseSlotAsync(CancellationToken ct)
    {
        Count("slot lost");
        await Eventually.True("the slot is dropped", () => TryDropSlotAsync(ct), ct: ct);
    }

    private async Task<bool> TryDropSlotAsync(CancellationToken ct)
    {
        const string OfThisDatabase = "FROM pg_replication_slots WHERE database = current_database()";
        try
        {
            await bed.Source.ExecuteAsync($"SELECT pg_terminate_backend(active_pid) {OfThisDatabase} AND active", ct);
            await bed.Source.ExecuteAsync($"SELECT pg_drop_replication_slot(slot_name) {OfThisDatabase}", ct);
            return true;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.ObjectInUse)
        {
            return false;
        }
    }

    /// <summary>In this process, drained.</summary>
    private async Task RestartAsync(CancellationToken ct)
    {
        Count("restart");
        await StopAsync(ct);
        Start();
    }

    /// <summary>Of the real process, which is started for the next time.</summary>
    private async Task KillAsync(CancellationToken ct)
    {
        Count("kill");
        if (_process is not null)
            await _process.StopAsync(Signal.Kill, ct);
        if (_inProcess is not null)
            await _inProcess.StopAsync();
        _inProcess = null;
        _process = await bed.StartProcessAsync(ct: ct);
    }

    private void Count(string what) => Done[what] = Done.GetValueOrDefault(what) + 1;
}
