using Cdc.Core.Changes;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Core.Postgres;

/// <summary>Statements with positional parameters ($1, $2 …) on an open connection, and the rows that they return.</summary>
public static class Statements
{
    /// <summary>
    /// Values have the types that Npgsql derives from them; besides, an unsigned number is an OID, an <see cref="Lsn"/> is a pg_lsn, and a
    /// null takes the type that PostgreSQL derives from where it stands.
    /// </summary>
    public static NpgsqlCommand Statement(this NpgsqlConnection connection, string sql, params object?[] values)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
            command.Parameters.Add(Parameter(value));
        return command;
    }

    /// <summary>A statement of a batch, with values as for <see cref="Statement"/>.</summary>
    public static NpgsqlBatchCommand BatchStatement(string sql, params object?[] values)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var value in values)
            command.Parameters.Add(Parameter(value));
        return command;
    }

    /// <summary>The first value of the first row. Disposes the command.</summary>
    public static async Task<T> ScalarAsync<T>(this NpgsqlCommand command, CancellationToken ct)
    {
        await using var _ = command;
        return (T)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>Rows affected. Disposes the command.</summary>
    public static async Task<int> ExecuteAsync(this NpgsqlCommand command, CancellationToken ct)
    {
        await using var _ = command;
        return await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>All rows, each made by <paramref name="row"/>. Disposes the command.</summary>
    public static Task<List<T>> RowsAsync<T>(this NpgsqlCommand command, Func<NpgsqlDataReader, T> row, CancellationToken ct)
    {
        List<T> rows = [];
        return FillAsync(rows, command, reader => rows.Add(row(reader)), ct);
    }

    /// <summary>
    /// One method for rows of every type: an async method that is generic over a value type is compiled while the program starts, once for
    /// each type, ahead-of-time compiled or not.
    /// </summary>
    private static async Task<TRows> FillAsync<TRows>(TRows rows, NpgsqlCommand command, Action<NpgsqlDataReader> add, CancellationToken ct)
        where TRows : class
    {
        await using var _ = command;
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            add(reader);
        return rows;
    }

    /// <summary>As a value of <see cref="Statement"/>.</summary>
    public static NpgsqlParameter Parameter(object? value) =>
        value switch
        {
            NpgsqlParameter parameter => parameter,
            null => new NpgsqlParameter { Value = DBNull.Value, NpgsqlDbType = NpgsqlDbType.Unknown },
            uint oid => new NpgsqlParameter { Value = oid, NpgsqlDbType = NpgsqlDbType.Oid },
            Lsn lsn => new NpgsqlParameter { Value = new NpgsqlLogSequenceNumber(lsn.Value), NpgsqlDbType = NpgsqlDbType.PgLsn },
            DateTimeOffset at => new NpgsqlParameter { Value = at.UtcDateTime },
            _ => new NpgsqlParameter { Value = value },
        };
}
