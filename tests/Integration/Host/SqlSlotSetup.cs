using Cdc.Core.Changes;
using Cdc.Host;
using Npgsql;

namespace Cdc.Tests.Integration.Host;

/// <summary>The slot by plain SQL, and points at which the caller's process dies.</summary>
internal sealed class SqlSlotSetup(string source, string slot) : ISlotSetup
{
    public bool DieBeforeDrop { get; set; }
    public bool DieAfterDrop { get; set; }
    public bool DieAfterCreate { get; set; }

    public async Task<Lsn> CreateAsync(CancellationToken ct)
    {
        await using var connection = await OpenAsync(ct);
        await using var create = new NpgsqlCommand($"SELECT lsn::text FROM pg_create_logical_replication_slot('{slot}', 'pgoutput')", connection);
        var start = (string)(await create.ExecuteScalarAsync(ct))!;
        return DieAfterCreate ? throw new KilledException() : Lsn.Parse(start);
    }

    public async Task DropAsync(CancellationToken ct)
    {
        if (DieBeforeDrop) throw new KilledException();
        await using var connection = await OpenAsync(ct);
        await using var drop = new NpgsqlCommand($"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '{slot}'", connection);
        await drop.ExecuteNonQueryAsync(ct);
        if (DieAfterDrop) throw new KilledException();
    }

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken ct)
    {
        var connection = new NpgsqlConnection(source);
        await connection.OpenAsync(ct);
        return connection;
    }
}

internal sealed class KilledException() : Exception("The process was killed here.");
