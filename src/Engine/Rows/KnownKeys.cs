using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Core.Progress;
using Cdc.Engine.Tables;
using Npgsql;

namespace Cdc.Engine.Rows;

/// <summary>Keys of source rows that the engine knows of: it has the row, has it in quarantine, or is to read it again.</summary>
internal static class KnownKeys
{
    /// <param name="entities">That read one source table.</param>
    /// <returns>The next keys above <paramref name="after"/>, rising, each once; empty: there are no more.</returns>
    public static async Task<List<KnownKey>> PageAsync(
        NpgsqlConnection engine,
        IReadOnlyList<EntityDeclaration> entities,
        long after,
        int most,
        CancellationToken ct
    )
    {
        var names = entities.Select(e => e.Name).ToArray();
        var numbers = await engine.Statement(PageSql(entities), after, most, names).RowsAsync(row => row.GetInt64(0), ct);
        if (entities[0].HashedKey is null)
            return numbers.ConvertAll(number => new KnownKey(number, null));
        var spelled = await SourceKeyTable.SpelledAsync(engine, names, [.. numbers], ct);
        return numbers.ConvertAll(number => new KnownKey(number, spelled[number]));
    }

    private static string PageSql(IReadOnlyList<EntityDeclaration> entities)
    {
        var rows = entities.Select(e =>
        {
            var key = Sql.Identifier(e.EngineKey);
            return $"(SELECT {key} FROM {e.EngineName} WHERE {key} > $1 AND {key} < {EntityDeclaration.FirstEngineId} ORDER BY 1 LIMIT $2)";
        });
        string[] entries = ["cdc.quarantine", "cdc.rereads"];
        var known = rows.Concat(entries.Select(t => $"(SELECT key FROM {t} WHERE entity = ANY($3) AND key > $1 ORDER BY 1 LIMIT $2)"));
        return $"SELECT key FROM ({string.Join(" UNION ", known)}) k(key) ORDER BY key LIMIT $2";
    }
}
