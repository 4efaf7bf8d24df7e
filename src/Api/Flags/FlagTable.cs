using System.Text.Json;
using Cdc.Api.Engine;
using Cdc.Api.Live;
using Cdc.Core.Postgres;
using Cdc.Cutover.Flags;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Api.Flags;

/// <summary>
/// cdc.feature_flags: in memory while changes arrive, and the last known ones while the engine is down, so that what is on stays on.
/// </summary>
internal sealed class FlagTable(EngineReads engine) : INotifiedTable
{
    private volatile IReadOnlyDictionary<string, FeatureFlag>? _flags;

    /// <summary>Every read writes it: a slow one may put an older version here, which only counts while the engine is down.</summary>
    private volatile IReadOnlyDictionary<string, FeatureFlag>? _lastKnown;
    private int _changes = 1;
    private int _readAt;

    public string Channel => "cdc_flags";

    public bool IsStale => Volatile.Read(ref _changes) != Volatile.Read(ref _readAt);

    public void OnChange() => Interlocked.Increment(ref _changes);

    public void OnDisconnect() => OnChange();

    public async Task ReloadAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var changes = Volatile.Read(ref _changes);
        _flags = _lastKnown = await ReadAsync(connection, ct);
        // Only now: until then what was read before would count as current. A change since then makes it stale again.
        Volatile.Write(ref _readAt, changes);
    }

    /// <exception cref="EngineUnavailableException">They were never read, and cannot be now.</exception>
    public async ValueTask<IReadOnlyDictionary<string, FeatureFlag>> AllAsync(CancellationToken ct)
    {
        if (!IsStale && _flags is { } known)
            return known;
        try
        {
            return _lastKnown = await engine.UseAsync(c => ReadAsync(c, ct), ct);
        }
        catch (EngineUnavailableException) when (_lastKnown is not null)
        {
            return _lastKnown;
        }
    }

    public Task<FeatureFlag> ChangeAsync(string name, FlagChangeRequest change, string by, string? address, CancellationToken ct) =>
        engine.UseAsync(
            async connection =>
            {
                await using var transaction = await connection.BeginTransactionAsync(ct);
                await connection.Statement(FlagSql.Lock).ExecuteAsync(ct);
                var changed = await ChangeAsync(connection, name, change, by, address, ct);
                await transaction.CommitAsync(ct);
                OnChange();
                return changed;
            },
            ct
        );

    private static async Task<FeatureFlag> ChangeAsync(
        NpgsqlConnection connection,
        string name,
        FlagChangeRequest change,
        string by,
        string? address,
        CancellationToken ct
    )
    {
        var changed = await connection
            .Statement(
                FlagSql.Change,
                name,
                Optional(change.Enabled, NpgsqlDbType.Boolean),
                Optional(change.Percentage, NpgsqlDbType.Numeric),
                Optional(change.Companies?.Distinct().Order().ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Bigint),
                by,
                address
            )
            .RowsAsync(Read, ct);
        return changed.Single();
    }

    /// <summary>Newest first.</summary>
    public Task<List<FlagChange>> ChangesAsync(string name, int limit, CancellationToken ct) =>
        engine.UseAsync(
            connection =>
                connection
                    .Statement(
                        "SELECT id, changed_at, changed_by, address, before::text, after::text FROM cdc.feature_flag_changes WHERE name "
                            + "= $1 ORDER BY id DESC LIMIT $2",
                        name,
                        limit
                    )
                    .RowsAsync(ReadChange, ct),
            ct
        );

    private static async Task<IReadOnlyDictionary<string, FeatureFlag>> ReadAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var flags = await connection.Statement($"SELECT {FlagSql.Columns} FROM cdc.feature_flags").RowsAsync(Read, ct);
        return flags.ToDictionary(f => f.Name);
    }

    private static FeatureFlag Read(NpgsqlDataReader row) =>
        new(
            row.GetString(0),
            row.GetBoolean(1),
            FlagStand.WithoutZeros(row.GetDecimal(2)),
            row.GetFieldValue<long[]>(3),
            row.GetInt64(4),
            row.GetFieldValue<DateTimeOffset>(5),
            row.GetString(6)
        );

    private static FlagChange ReadChange(NpgsqlDataReader row) =>
        new(
            row.GetInt64(0),
            row.GetFieldValue<DateTimeOffset>(1),
            row.GetString(2),
            row.Get<string>(3),
            row.Get<string>(4) is { } before ? JsonDocument.Parse(before).RootElement : null,
            JsonDocument.Parse(row.GetString(5)).RootElement
        );

    private static NpgsqlParameter Optional(object? value, NpgsqlDbType type) =>
        new() { Value = value ?? DBNull.Value, NpgsqlDbType = type };
}
