using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Engine.Status;
using Npgsql;

namespace Cdc.Api.Engine;

/// <summary>How far the engine is, by itself.</summary>
internal sealed class EngineMomentReader(EntityDeclaration card)
{
    /// <summary>The cards'.</summary>
    public EntityDeclaration Entity => card;

    private readonly string _sql = $"SELECT {EngineMomentSql.Columns} FROM {EngineMomentSql.From(Sql.Literal(card.Name))}";

    public async Task<EngineMoment> ReadAsync(NpgsqlConnection connection, CancellationToken ct) =>
        (await connection.Statement(_sql).RowsAsync(row => EngineMoment.Read(row, 0), ct)).Single();
}
