using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Core.Snapshots;
using Npgsql;

namespace Cdc.Testing.Equality;

/// <summary>
/// Is the engine what the declaration makes of the source? All columns of all entities, by SQL. Exact only while nothing is on its way:
/// wait with <see cref="EngineProgress"/> while nothing is written.
/// </summary>
public sealed class EqualityCheck(EntitySet entities, int maxExamples = 10)
{
    /// <param name="source">Odoo's database; a role that may create temporary functions.</param>
    /// <param name="engine">The engine's database, with the schema <c>cdc</c>.</param>
    /// <param name="range">Keys to compare, in every entity.</param>
    public async Task<EqualityReport> CompareAsync(
        NpgsqlDataSource source,
        NpgsqlDataSource engine,
        CancellationToken ct,
        KeyRange range = default
    )
    {
        await using var left = await OpenAsync(source, ct);
        await using var right = await OpenAsync(engine, ct);
        var results = new List<EntityEquality>();
        var examples = new List<Difference>();
        foreach (var entity in entities.All)
        {
            var comparison = await CompareEntityAsync(entity, left, right, range, ct);
            results.Add(comparison.Result);
            examples.AddRange(comparison.Examples);
        }
        return new EqualityReport(results, examples);
    }

    /// <summary>
    /// One entity on two given connections, such as those of a fence, without the keys that <paramref name="isLeftOut"/>.
    /// </summary>
    public async Task<EqualityReport> CompareAsync(
        EntityDeclaration entity,
        NpgsqlConnection source,
        NpgsqlConnection engine,
        KeyRange range,
        Func<long, bool> isLeftOut,
        CancellationToken ct
    )
    {
        await ExecuteAsync(source, EqualitySql.Session, ct);
        await ExecuteAsync(engine, EqualitySql.Session, ct);
        var comparison = await CompareAsync(entity, source, EqualitySql.Source(entity, range), engine, range, ct, isLeftOut);
        return new EqualityReport([comparison.Result], comparison.Examples);
    }

    private async Task<RowComparison> CompareEntityAsync(
        EntityDeclaration entity,
        NpgsqlConnection source,
        NpgsqlConnection engine,
        KeyRange range,
        CancellationToken ct
    )
    {
        try
        {
            return await CompareAsync(entity, source, EqualitySql.Source(entity, range), engine, range, ct);
        }
        catch (PostgresException e) when (e.SqlState.StartsWith("22", StringComparison.Ordinal))
        {
            // Some row's values cannot be computed. To find it, compute each row alone.
            await ExecuteAsync(source, EqualitySql.RowFunction(entity), ct);
            var comparison = await CompareAsync(entity, source, EqualitySql.SourceRowByRow(entity, range), engine, range, ct);
            await ExecuteAsync(source, $"DROP FUNCTION pg_temp.cdc_expected({entity.SourceName})", ct);
            return comparison;
        }
    }

    private async Task<RowComparison> CompareAsync(
        EntityDeclaration entity,
        NpgsqlConnection source,
        string sourceSql,
        NpgsqlConnection engine,
        KeyRange range,
        CancellationToken ct,
        Func<long, bool>? isLeftOut = null
    )
    {
        var quarantined = await KeysAsync(engine, EqualitySql.Quarantine(entity, range), ct);
        var comparison = new RowComparison(entity, quarantined, maxExamples, isLeftOut ?? (_ => false));
        await using var left = await ComparedRows.OpenAsync(source, sourceSql, ct);
        await using var right = await ComparedRows.OpenAsync(engine, EqualitySql.Engine(entity, range), ct);
        while (left.Current is not null || right.Current is not null)
        {
            var takeLeft = right.Current is null || left.Current is not null && left.Current.Key <= right.Current.Key;
            var takeRight = left.Current is null || right.Current is not null && right.Current.Key <= left.Current.Key;
            comparison.Compare(takeLeft ? left.Current : null, takeRight ? right.Current : null);
            if (takeLeft)
                await left.NextAsync(ct);
            if (takeRight)
                await right.NextAsync(ct);
        }
        comparison.Finish();
        return comparison;
    }

    private static async Task<HashSet<long>> KeysAsync(NpgsqlConnection engine, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, engine);
        await using var reader = await command.ExecuteReaderAsync(ct);
        var keys = new HashSet<long>();
        while (await reader.ReadAsync(ct))
            keys.Add(reader.GetInt64(0));
        return keys;
    }

    private static async Task<NpgsqlConnection> OpenAsync(NpgsqlDataSource database, CancellationToken ct)
    {
        var connection = await database.OpenConnectionAsync(ct);
        await ExecuteAsync(connection, EqualitySql.Session, ct);
        return connection;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }
}
