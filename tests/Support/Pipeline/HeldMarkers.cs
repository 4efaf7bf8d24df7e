using Cdc.Tests.Support.Postgres;
using Npgsql;

namespace Cdc.Tests.Support.Pipeline;

/// <summary>
/// Stops a pipeline at the marker of a chunk, on a real server: its connections find a function that stands before PostgreSQL's own and
/// waits for the test. Set up before the pipeline is started.
/// </summary>
public sealed class HeldMarkers : IAsyncDisposable
{
    private const string Functions = """
        CREATE FUNCTION public.pg_logical_emit_message(boolean, text, bytea) RETURNS pg_lsn LANGUAGE plpgsql AS $$
        DECLARE lsn pg_lsn;
        BEGIN
            IF $2 = 'cdc.chunk' THEN PERFORM pg_advisory_xact_lock_shared(1); END IF;
            lsn = pg_catalog.pg_logical_emit_message($1, $2, $3);
            IF $2 = 'cdc.chunk' THEN PERFORM pg_advisory_xact_lock_shared(2); END IF;
            RETURN lsn;
        END $$;
        CREATE FUNCTION public.pg_logical_emit_message(boolean, text, bytea, boolean) RETURNS pg_lsn LANGUAGE sql AS 'SELECT public.pg_logical_emit_message($1, $2, $3)';
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
        await bed.Source.ExecuteAsync(Functions, ct).ConfigureAwait(false);
        var settings = new NpgsqlConnectionStringBuilder(bed.SourceOptions.ConnectionString)
        {
            Options = "-c search_path=public,pg_catalog",
        };
        bed.SourceOptions = bed.SourceOptions with { ConnectionString = settings.ConnectionString };
        // Not from a pool, which would keep the locks when a test has failed.
        var holder = new NpgsqlConnection(bed.Source.ConnectionString + ";Pooling=false");
        await holder.OpenAsync(ct).ConfigureAwait(false);
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
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }
}
