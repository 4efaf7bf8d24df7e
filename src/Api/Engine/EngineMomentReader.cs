using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Engine.Status;
using Npgsql;

namespace Cdc.Api.Engine;

/// <summary>How far the engine is, by itself.</summary>
internal sealed class EngineMomentReader(EntityDeclaration card)
{
    private readonly string _sql = $"SELECT {EngineMomentSql.Columns} FROM {EngineMomentSql.From(Sql.Literal(card.Name))}";

    public async Task<EngineMoment> ReadAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(_sql, connection);
        await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        await row.ReadAsync(ct).ConfigureAwait(false);
        return EngineMoment.Read(row, 0);
    }
}
