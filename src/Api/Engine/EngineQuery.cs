using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Api.Engine;

/// <summary>One statement and how its rows are read, so that it can be asked of more than one server.</summary>
/// <param name="Bind">Adds the statement's parameters: each time new ones, as a parameter belongs to one command.</param>
internal sealed record EngineQuery<T>(
    string Sql,
    Action<NpgsqlParameterCollection> Bind,
    Func<NpgsqlDataReader, CancellationToken, Task<T>> Read
)
{
    public NpgsqlBatchCommand Command()
    {
        var command = new NpgsqlBatchCommand(Sql);
        Bind(command.Parameters);
        return command;
    }

    public async Task<T> AskAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        Bind(command.Parameters);
        await using var row = await command.ExecuteReaderAsync(ct);
        return await Read(row, ct);
    }
}
