using Npgsql;

namespace Cdc.Workload.Seeding;

/// <summary>Rows of years gone by, written with COPY behind those that are there. A function of seed and numbers of rows.</summary>
internal sealed class InitialData(NpgsqlConnection connection, int seed, InitialRows rows)
{
    public async Task WriteAsync(CancellationToken ct)
    {
        if (rows.Programs + rows.Cards + rows.Moves + rows.History == 0)
            return;
        if (rows.OnlyWhenEmpty && await ScalarAsync("SELECT EXISTS (SELECT FROM loyalty_card)", ct) is true)
            return;
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await SkipForeignKeyTriggersAsync(ct);
        var first = await FirstIdsAsync(ct);
        var content = new InitialContent(seed, rows, first);
        await CopyAsync(InitialContent.ProgramColumns, rows.Programs, content.WriteProgram, ct);
        await CopyAsync(InitialContent.CardColumns, rows.Cards, content.WriteCard, ct);
        await CopyAsync(InitialContent.MoveColumns, rows.Moves, content.WriteMove, ct);
        await CopyAsync(InitialContent.HistoryColumns, rows.History, content.WriteHistory, ct);
        await MoveSequencesAsync(ct);
        await transaction.CommitAsync(ct);
        await ExecuteAsync("ANALYZE loyalty_program, loyalty_card, loyalty_point_move, loyalty_point_history", ct);
    }

    /// <summary>What is written is consistent by construction; only a superuser may skip the check, others wait for it.</summary>
    private async Task SkipForeignKeyTriggersAsync(CancellationToken ct)
    {
        if (await ScalarAsync("SELECT current_setting('is_superuser')", ct) is "on")
            await ExecuteAsync("SET LOCAL session_replication_role = replica", ct);
    }

    private async Task<FirstIds> FirstIdsAsync(CancellationToken ct) =>
        new(
            await NextIdAsync("loyalty_program", ct),
            await NextIdAsync("loyalty_card", ct),
            await NextIdAsync("loyalty_point_move", ct),
            await NextIdAsync("loyalty_point_history", ct)
        );

    private async Task<int> NextIdAsync(string table, CancellationToken ct) =>
        await ScalarAsync(
            $"SELECT greatest(coalesce(max(t.id), 0), (SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END FROM {table}_id_seq s))::int4 + 1 FROM {table} t",
            ct
        )
            is int id
            ? id
            : 1;

    private async Task CopyAsync(string columns, int count, Action<NpgsqlBinaryImporter, int> write, CancellationToken ct)
    {
        if (count == 0)
            return;
        await using var writer = await connection.BeginBinaryImportAsync($"COPY {columns} FROM STDIN (FORMAT binary)", ct);
        for (var row = 0; row < count; row++)
        {
            if (row % 10_000 == 0)
                ct.ThrowIfCancellationRequested();
            writer.StartRow();
            write(writer, row);
        }
        await writer.CompleteAsync(ct);
    }

    private async Task MoveSequencesAsync(CancellationToken ct)
    {
        foreach (var table in (string[])["loyalty_program", "loyalty_card", "loyalty_point_move", "loyalty_point_history"])
            await ExecuteAsync($"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table})) WHERE EXISTS (SELECT FROM {table})", ct);
    }

    private async Task ExecuteAsync(string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(ct);
    }

    private async Task<object?> ScalarAsync(string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        return await command.ExecuteScalarAsync(ct);
    }
}
