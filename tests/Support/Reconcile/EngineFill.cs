using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Tests.Support.Reconcile;

/// <summary>Makes the engine what the declaration makes of the source, by SQL alone: a comparison must find no difference.</summary>
public static class EngineFill
{
    /// <summary>Copies all rows of an entity; the engine's table must be empty.</summary>
    public static async Task CopyAsync(EntityDeclaration entity, NpgsqlDataSource source, NpgsqlDataSource engine, CancellationToken ct)
    {
        await using var from = await source.OpenConnectionAsync(ct);
        await using var to = await engine.OpenConnectionAsync(ct);
        var values = entity.Columns.Select(c => $"CAST(({c.Value}) AS {c.Type})");
        await using var read = await from.BeginRawBinaryCopyAsync(
            $"COPY (SELECT {entity.SourceKey.Number()}::bigint, {string.Join(", ", values)} FROM {entity.SourceName}) TO STDOUT (FORMAT BINARY)",
            ct
        );
        await using var write = await to.BeginRawBinaryCopyAsync(
            $"COPY {entity.EngineName} ({Sql.Identifier(entity.EngineKey)}, {string.Join(", ", entity.Columns.Select(c => Sql.Identifier(c.Name)))}) FROM STDIN (FORMAT BINARY)",
            ct
        );
        await read.CopyToAsync(write, ct);
    }
}
