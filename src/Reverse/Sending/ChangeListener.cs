using System.Threading.Channels;
using Cdc.Core.Postgres;
using Cdc.Engine;
using Cdc.Engine.Ownership;
using Npgsql;

namespace Cdc.Reverse.Sending;

/// <summary>Hears of own changes as they are committed. What it misses is found by the next look.</summary>
internal sealed class ChangeListener : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;

    /// <summary>One that waits is enough, however many came.</summary>
    private readonly Channel<bool> _heard = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );

    private ChangeListener(NpgsqlConnection connection) => _connection = connection;

    public static async Task<ChangeListener> OpenAsync(EngineOptions engine, CancellationToken ct)
    {
        var connection = await EngineConnection.OpenAsync(engine, EngineRole.ReverseListener, ct);
        var listener = new ChangeListener(connection);
        connection.Notification += (_, _) => listener._heard.Writer.TryWrite(true);
        await connection.Statement($"LISTEN {OwnChanges.Channel}").ExecuteAsync(ct);
        return listener;
    }

    /// <summary>Until it is cancelled, or the connection is lost.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        while (true)
            await _connection.WaitAsync(ct);
    }

    /// <summary>Ends with the next notice, or one that came since the last time.</summary>
    public async Task HeardAsync(CancellationToken ct)
    {
        await _heard.Reader.WaitToReadAsync(ct);
        _heard.Reader.TryRead(out _);
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}
