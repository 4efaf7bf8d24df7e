using Npgsql;

namespace Cdc.Bench.Measure;

/// <summary>A database as superuser. Nothing is pooled: databases are dropped and created again between measurements.</summary>
internal sealed class BenchDatabase(string connectionString)
{
    private readonly string _unpooled = new NpgsqlConnectionStringBuilder(connectionString)
    {
        Pooling = false,
        CommandTimeout = 0,
    }.ConnectionString;

    public string ConnectionString { get; } = connectionString;

    public async Task<NpgsqlConnection> OpenAsync(CancellationToken ct)
    {
        var connection = new NpgsqlConnection(_unpooled);
        await connection.OpenAsync(ct);
        return connection;
    }

    /// <summary>One statement after the other, each in its own transaction: VACUUM and CREATE DATABASE allow no other.</summary>
    public async Task ExecuteAsync(CancellationToken ct, params IReadOnlyList<string> statements)
    {
        await using var connection = await OpenAsync(ct);
        foreach (var statement in statements)
        {
            await using var command = new NpgsqlCommand(statement, connection);
            await command.ExecuteNonQueryAsync(ct);
        }
    }

    public async Task<T> ScalarAsync<T>(string sql, CancellationToken ct)
    {
        await using var connection = await OpenAsync(ct);
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync(ct))!;
    }
}
