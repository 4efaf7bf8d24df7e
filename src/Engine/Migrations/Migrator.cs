using System.Data;
using Cdc.Core.Failures;
using Npgsql;

namespace Cdc.Engine.Migrations;

/// <summary>
/// Brings the engine's schema up or down, each migration in its own transaction under an advisory lock: of two at once one waits and
/// then finds nothing to do.
/// </summary>
/// <param name="notice">Receives what PostgreSQL says meanwhile, such as why foreign keys were left out.</param>
/// <param name="series">Null: the delivered ones.</param>
public sealed class Migrator(
    NpgsqlDataSource engine,
    IReadOnlyList<Migration> migrations,
    Action<string>? notice = null,
    MigrationSeries? series = null
)
{
    private readonly MigrationSeries _series = series ?? MigrationSeries.Delivered;

    public MigrationSeries Series => _series;

    // IF NOT EXISTS would say at every step but the first that the table exists, although the user asked for no table.
    private string CreateTable =>
        $"""
            DO $$ BEGIN
                IF to_regclass('{_series.Table}') IS NULL THEN
                    CREATE TABLE {_series.Table} (
                        version     integer PRIMARY KEY,
                        name        text NOT NULL,
                        checksum    text NOT NULL,
                        applied_at  timestamptz NOT NULL DEFAULT now()
                    );
                END IF;
            END $$
            """;

    /// <summary>Applies what is missing, up to and including <paramref name="target"/> (all, if null).</summary>
    /// <returns>What was applied now; empty if nothing was missing.</returns>
    /// <exception cref="CdcException">An applied migration has changed, the engine is newer than this program, or SQL failed
    /// (Migration).</exception>
    public async Task<IReadOnlyList<Migration>> UpAsync(int? target, CancellationToken ct)
    {
        RequireVersion(target ?? 0);
        var done = new List<Migration>();
        await using var connection = await OpenAsync(ct);
        foreach (var migration in migrations.Where(m => m.Version <= (target ?? int.MaxValue)))
            if (await StepAsync(connection, migration, isUp: true, ct))
                done.Add(migration);
        return done;
    }

    /// <summary>Takes back everything above <paramref name="target"/>, the newest first. The data of what is taken back is gone.</summary>
    /// <exception cref="CdcException">As with <see cref="UpAsync"/>.</exception>
    public async Task<IReadOnlyList<Migration>> DownAsync(int target, CancellationToken ct)
    {
        RequireVersion(target);
        var done = new List<Migration>();
        await using var connection = await OpenAsync(ct);
        foreach (var migration in migrations.Where(m => m.Version > target).Reverse())
            if (await StepAsync(connection, migration, isUp: false, ct))
                done.Add(migration);
        return done;
    }

    /// <summary>Reads only, and creates nothing.</summary>
    public async Task<MigrationStatus> StatusAsync(CancellationToken ct)
    {
        await using var connection = await OpenAsync(ct);
        return StatusOf(await AppliedAsync(connection, ct));
    }

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken ct)
    {
        var connection = await engine.OpenConnectionAsync(ct);
        if (notice is not null)
            connection.Notice += (_, e) => notice(e.Notice.MessageText);
        return connection;
    }

    private void RequireVersion(int target)
    {
        if (target >= 0 && target <= migrations[^1].Version)
            return;
        throw new CdcException(
            FailureKind.Usage,
            $"There is no migration {target}.",
            $"Name a version from 0 (nothing) to {migrations[^1].Version}."
        );
    }

    /// <returns>False: there was nothing to do.</returns>
    private async Task<bool> StepAsync(NpgsqlConnection connection, Migration migration, bool isUp, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, ct);
        await ExecuteAsync(connection, $"SELECT pg_advisory_xact_lock({AdvisoryLocks.Migrations})", ct);
        // Checked under the lock: its previous holder may have done this step.
        var status = StatusOf(await AppliedAsync(connection, ct));
        RequireUnchanged(status);
        if (status.Migrations[migration.Version - 1].AppliedAt is not null == isUp)
            return false;
        try
        {
            await ExecuteAsync(connection, CreateTable, ct);
            await ExecuteAsync(connection, isUp ? migration.Up : migration.Down, ct);
            await RecordAsync(connection, migration, isUp, ct);
            await transaction.CommitAsync(ct);
        }
        catch (PostgresException failure)
        {
            throw Failed(migration, isUp, failure);
        }
        return true;
    }

    private async Task RecordAsync(NpgsqlConnection connection, Migration migration, bool isUp, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            isUp
                ? $"INSERT INTO {_series.Table} (version, name, checksum) VALUES ($1, $2, $3)"
                : $"DELETE FROM {_series.Table} WHERE version = $1",
            connection
        );
        command.Parameters.AddWithValue(migration.Version);
        if (isUp)
        {
            command.Parameters.AddWithValue(migration.Name);
            command.Parameters.AddWithValue(migration.Checksum);
        }
        await command.ExecuteNonQueryAsync(ct);
    }

    private async Task<Dictionary<int, (string Checksum, DateTime At)>> AppliedAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var applied = new Dictionary<int, (string, DateTime)>();
        await using (var exists = new NpgsqlCommand($"SELECT to_regclass('{_series.Table}') IS NOT NULL", connection))
            if (!(bool)(await exists.ExecuteScalarAsync(ct))!)
                return applied;
        await using var command = new NpgsqlCommand($"SELECT version, checksum, applied_at FROM {_series.Table}", connection);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            applied[reader.GetInt32(0)] = (reader.GetString(1), reader.GetDateTime(2));
        return applied;
    }

    private MigrationStatus StatusOf(Dictionary<int, (string Checksum, DateTime At)> applied) =>
        new(
            _series,
            [
                .. migrations.Select(m =>
                    applied.TryGetValue(m.Version, out var a)
                        ? new MigrationState(m, a.At, a.Checksum != m.Checksum)
                        : new MigrationState(m, null, false)
                ),
            ],
            [.. applied.Keys.Where(v => v > migrations[^1].Version).Order()]
        );

    private static void RequireUnchanged(MigrationStatus status)
    {
        if ((status.Newer() ?? status.Changed()) is { } wrong)
            throw new CdcException(FailureKind.Migration, wrong.Message, wrong.Remedy);
    }

    private static CdcException Failed(Migration migration, bool isUp, PostgresException failure)
    {
        var remedy = failure.SqlState switch
        {
            PostgresErrorCodes.InsufficientPrivilege =>
                "Run 'cdc migrate' as the owner of the engine's database and tables, or as a role with the rights that 'cdc grants engine --for migrate' prints.",
            PostgresErrorCodes.DuplicateTable or PostgresErrorCodes.DuplicateSchema or PostgresErrorCodes.DuplicateObject =>
                "An object of this name is there already and was not made by a migration: rename it, or use an empty database.",
            PostgresErrorCodes.DependentObjectsStillExist => "Drop what depends on it first: the detail names it.",
            _ => "Nothing of this migration was kept. Fix the cause and run 'cdc migrate' again.",
        };
        return new CdcException(
            FailureKind.Migration,
            $"Migration {migration.Version:D4}_{migration.Name} ({(isUp ? "up" : "down")}) failed: "
                + $"{failure.SqlState} {failure.MessageText}{(failure.Detail is null ? "" : " " + failure.Detail)}",
            remedy,
            failure
        );
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }
}
