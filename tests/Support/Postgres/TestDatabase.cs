using Npgsql;

namespace Cdc.Tests.Support.Postgres;

/// <summary>A database of one test. Disposing drops it and its replication slots, even if they are in use.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private static int _created;
    private readonly string _adminConnectionString;

    internal TestDatabase(string name, string adminConnectionString)
    {
        (Name, _adminConnectionString) = (name, adminConnectionString);
        ConnectionString = new NpgsqlConnectionStringBuilder(adminConnectionString) { Database = name }.ConnectionString;
        DataSource = NpgsqlDataSource.Create(ConnectionString);
    }

    public string Name { get; }

    public string ConnectionString { get; }

    /// <summary>Connections of a superuser.</summary>
    public NpgsqlDataSource DataSource { get; }

    /// <param name="prefix">Lower-case letters, digits and underscores; the name is made unique.</param>
    /// <param name="server">Connection string of a superuser, to the database <c>postgres</c>.</param>
    /// <param name="encoding">As PostgreSQL names it; null: the template's.</param>
    public static async Task<TestDatabase> CreateAsync(
        string prefix,
        string server,
        CancellationToken ct,
        string? template = null,
        string? encoding = null
    )
    {
        var name = $"{prefix}_{Environment.ProcessId}_{Interlocked.Increment(ref _created)}_{Random.Shared.Next(0x10000):x4}";
        await using var admin = Administrator(server);
        await using var command = admin.CreateCommand(
            $"CREATE DATABASE \"{name}\" TEMPLATE \"{template ?? "template0"}\" {(encoding is null ? "" : $"ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'")}"
        );
        await command.ExecuteNonQueryAsync(ct);
        return new TestDatabase(name, server);
    }

    public async Task ExecuteAsync(string sql, CancellationToken ct = default)
    {
        await using var command = DataSource.CreateCommand(sql);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>The first column of the first row; default when there is none or it is NULL.</summary>
    public async Task<T?> ScalarAsync<T>(string sql, CancellationToken ct = default)
    {
        await using var command = DataSource.CreateCommand(sql);
        command.CommandTimeout = 0;
        return await command.ExecuteScalarAsync(ct) is T value ? value : default;
    }

    /// <summary>All rows as PostgreSQL's text, columns parted by <c>|</c>, NULL as nothing.</summary>
    public Task<IReadOnlyList<string>> RowsAsync(string sql, CancellationToken ct = default) => RowsAsync(sql, "", ct);

    /// <param name="nullText">Stands for NULL, where it must differ from an empty text.</param>
    public async Task<IReadOnlyList<string>> RowsAsync(string sql, string nullText, CancellationToken ct)
    {
        await using var connection = await DataSource.OpenConnectionAsync(ct);
        await using var command = new NpgsqlCommand(sql, connection) { AllResultTypesAreUnknown = true, CommandTimeout = 0 };
        await using var reader = await command.ExecuteReaderAsync(ct);
        var rows = new List<string>();
        while (await reader.ReadAsync(ct))
            rows.Add(
                string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? nullText : reader.GetString(i)))
            );
        return rows;
    }

    public async ValueTask DisposeAsync()
    {
        await RollbackPreparedAsync();
        await DataSource.DisposeAsync();
        await using var admin = Administrator(_adminConnectionString);
        await DropSlotsAsync(admin);
        await ExecuteAsync(admin, $"DROP DATABASE IF EXISTS \"{Name}\" WITH (FORCE)");
    }

    /// <summary>One connection for what it is asked, which reads none of the types that a database may have beside PostgreSQL's own.</summary>
    private static NpgsqlDataSource Administrator(string server) =>
        new NpgsqlDataSourceBuilder(new NpgsqlConnectionStringBuilder(server) { MaxPoolSize = 1 }.ConnectionString)
            .ConfigureTypeLoading(types => types.EnableTypeLoading(false))
            .Build();

    /// <summary>What a failed test left prepared would keep the database, and hide the failure.</summary>
    private async Task RollbackPreparedAsync()
    {
        foreach (var transaction in await RowsAsync("SELECT quote_literal(gid) FROM pg_prepared_xacts WHERE database = current_database()"))
            await ExecuteAsync($"ROLLBACK PREPARED {transaction}");
    }

    private async Task DropSlotsAsync(NpgsqlDataSource admin)
    {
        var slots = await SlotsAsync(admin);
        foreach (var slot in slots)
            await Eventually.True($"the slot {slot} of {Name} is dropped", () => TryDropSlotAsync(admin, slot));
    }

    private async Task<List<string>> SlotsAsync(NpgsqlDataSource admin)
    {
        await using var command = admin.CreateCommand("SELECT slot_name FROM pg_replication_slots WHERE database = $1");
        command.Parameters.AddWithValue(Name);
        await using var reader = await command.ExecuteReaderAsync();
        var slots = new List<string>();
        while (await reader.ReadAsync())
            slots.Add(reader.GetString(0));
        return slots;
    }

    private static async Task<bool> TryDropSlotAsync(NpgsqlDataSource admin, string slot)
    {
        await ExecuteAsync(
            admin,
            $"SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '{slot}' AND active"
        );
        try
        {
            await ExecuteAsync(admin, $"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '{slot}'");
            return true;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.ObjectInUse)
        {
            return false;
        }
    }

    private static async Task ExecuteAsync(NpgsqlDataSource admin, string sql)
    {
        await using var command = admin.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
