using Cdc.Tests.Support.Postgres;
using Npgsql;

namespace Cdc.Tests.Support.Pipeline;

/// <summary>
/// Stops a pipeline at the marker of a chunk, on a real server: in the source's database a function that waits for the test takes the place of
/// PostgreSQL's own. Set up before the pipeline is started.
/// </summary>
public sealed class HeldMarkers : IAsyncDisposable
{
    /// <summary>PostgreSQL 17 and newer have a fourth parameter (flush), which changes nothing here.</summary>
    private const string Functions = """
        DO $do$ BEGIN
            EXECUTE (SELECT format('ALTER FUNCTION pg_catalog.%s RENAME TO emit_message_at_once', oid::regprocedure) FROM pg_proc
                     WHERE proname = 'pg_logical_emit_message' AND pronamespace = 'pg_catalog'::regnamespace AND 'bytea'::regtype = ANY(proargtypes));
        END $do$;
        CREATE FUNCTION pg_catalog.pg_logical_emit_message(boolean, text, bytea, boolean DEFAULT false) RETURNS pg_lsn LANGUAGE plpgsql AS $$
        DECLARE lsn pg_lsn;
        BEGIN
            IF $2 = 'cdc.chunk' THEN PERFORM pg_advisory_xact_lock_shared(1); END IF;
            lsn = pg_catalog.emit_message_at_once($1, $2, $3);
            IF $2 = 'cdc.chunk' THEN PERFORM pg_advisory_xact_lock_shared(2); END IF;
            RETURN lsn;
        END $$;
        """;

    private readonly TestDatabase _source;
    private readonly NpgsqlConnection _holder;

    private HeldMarkers(TestDatabase source, NpgsqlConnection holder) => (_source, _holder) = (source, holder);

    public enum Place
    {
        /// <summary>The chunk is read, its marker is not written.</summary>
        BeforeMarker = 1,

        /// <summary>
        /// The marker is in the WAL, the transaction around it is not committed: the next commit comes right after the marker.
        /// </summary>
        AfterMarker = 2,
    }

    public static async Task<HeldMarkers> SetUpAsync(PipelineBed bed, CancellationToken ct)
    {
        await bed.Source.ExecuteAsync(Functions, ct);
        // Not from a pool, which would keep the locks when a test has failed.
        var holder = new NpgsqlConnection(bed.Source.ConnectionString + ";Pooling=false");
        await holder.OpenAsync(ct);
        return new HeldMarkers(bed.Source, holder);
    }

    public Task HoldAsync(Place place, CancellationToken ct) => ExecuteAsync($"SELECT pg_advisory_lock({(int)place})", ct);

    public Task ReleaseAsync(Place place, CancellationToken ct) => ExecuteAsync($"SELECT pg_advisory_unlock({(int)place})", ct);

    /// <summary>A chunk has come to the place that is held.</summary>
    public Task ReachedAsync(CancellationToken ct) =>
        Eventually.True(
            "a chunk waits at its marker",
            () =>
                _source.ScalarAsync<bool>(
                    "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
                    ct
                ),
            ct: ct
        );

    public ValueTask DisposeAsync() => _holder.DisposeAsync();

    private async Task ExecuteAsync(string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, _holder);
        await command.ExecuteNonQueryAsync(ct);
    }
}
