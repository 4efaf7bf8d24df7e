using System.Data;
using Npgsql;

namespace Cdc.Workload.Transactions;

/// <summary>Short forms over one connection. Values are bound as $1, $2, …</summary>
internal sealed class OdooConnection(NpgsqlConnection connection)
{
    public NpgsqlConnection Raw => connection;

    public async Task<int> ExecuteAsync(string sql, object?[] values, CancellationToken ct)
    {
        await using var command = Command(sql, values);
        return await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>The first column of the first row; default if there is none or it is NULL.</summary>
    public async Task<T?> ScalarAsync<T>(string sql, object?[] values, CancellationToken ct)
    {
        await using var command = Command(sql, values);
        return await command.ExecuteScalarAsync(ct) is T value ? value : default;
    }

    public async Task<List<T>> ListAsync<T>(string sql, object?[] values, Func<NpgsqlDataReader, T> read, CancellationToken ct)
    {
        await using var command = Command(sql, values);
        await using var reader = await command.ExecuteReaderAsync(ct);
        var rows = new List<T>();
        while (await reader.ReadAsync(ct))
            rows.Add(read(reader));
        return rows;
    }

    /// <summary>Commits what <paramref name="work"/> did; rolls it back when it throws.</summary>
    public async Task InTransactionAsync(
        Func<NpgsqlTransaction, Task> work,
        CancellationToken ct,
        IsolationLevel isolation = IsolationLevel.ReadCommitted
    )
    {
        await using var transaction = await connection.BeginTransactionAsync(isolation, ct);
        await work(transaction);
        await transaction.CommitAsync(ct);
    }

    private NpgsqlCommand Command(string sql, object?[] values)
    {
        var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value ?? DBNull.Value });
        return command;
    }
}
