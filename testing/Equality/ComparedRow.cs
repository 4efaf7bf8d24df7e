using Npgsql;

namespace Cdc.Testing.Equality;

/// <summary>A row of either side.</summary>
internal sealed record ComparedRow(long Key, bool Broken, string?[] Values);

/// <summary>Rows of one query in the order of their keys.</summary>
internal sealed class ComparedRows(NpgsqlCommand command, NpgsqlDataReader reader) : IAsyncDisposable
{
    /// <summary>Null behind the last row.</summary>
    public ComparedRow? Current { get; private set; }

    public static async Task<ComparedRows> OpenAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        var rows = new ComparedRows(command, await command.ExecuteReaderAsync(ct));
        await rows.NextAsync(ct);
        return rows;
    }

    public async Task NextAsync(CancellationToken ct) => Current = await reader.ReadAsync(ct) ? Read() : null;

    public async ValueTask DisposeAsync()
    {
        await reader.DisposeAsync();
        await command.DisposeAsync();
    }

    private ComparedRow Read()
    {
        var values = new string?[reader.FieldCount - 2];
        for (var i = 0; i < values.Length; i++)
            values[i] = reader.IsDBNull(i + 2) ? null : reader.GetString(i + 2);
        return new ComparedRow(reader.GetInt64(0), reader.GetBoolean(1), values);
    }
}
