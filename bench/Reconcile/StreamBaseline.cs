using System.Diagnostics;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Reconcile.Comparing;
using Npgsql;

namespace Cdc.Bench.Reconcile;

/// <param name="Bytes">From both sides.</param>
internal sealed record StreamTimes(TimeSpan Wall, TimeSpan ClientCpu, long Bytes);

/// <summary>
/// What comparers do that move the rows: both sides read in the order of their keys, every value in its canonical form. As COPY, and
/// compared byte by byte: less work than any of them has.
/// </summary>
internal sealed class StreamBaseline(EntityDeclaration entity, NpgsqlDataSource source, NpgsqlDataSource engine)
{
    private const int BlockBytes = 1 << 16;

    /// <exception cref="CdcException">The two streams differ.</exception>
    public async Task<StreamTimes> CompareAsync(CancellationToken ct)
    {
        await using var left = await OpenAsync(source, ct);
        await using var right = await OpenAsync(engine, ct);
        var columns = entity.Columns.Select(c => CanonicalColumn.Of(c, new Dictionary<string, uint>())).ToList();
        var (began, cpu, bytes) = (Stopwatch.GetTimestamp(), Process.GetCurrentProcess().TotalProcessorTime, 0L);
        await using (var odoo = await CopyAsync(left, entity.SourceName, entity.Key.Name, columns.Select(c => c.SourceText), ct))
        await using (var copy = await CopyAsync(right, entity.EngineName, entity.EngineKey, columns.Select(c => c.EngineText), ct))
        {
            byte[] a = new byte[BlockBytes],
                b = new byte[BlockBytes];
            for (var read = BlockBytes; read == BlockBytes; )
            {
                var reads = await Task.WhenAll(
                    odoo.ReadAtLeastAsync(a, BlockBytes, false, ct).AsTask(),
                    copy.ReadAtLeastAsync(b, BlockBytes, false, ct).AsTask()
                );
                read = reads[0];
                if (reads[0] != reads[1] || !a.AsSpan(0, read).SequenceEqual(b.AsSpan(0, read)))
                    throw new CdcException(FailureKind.NotEqual, $"The streams differ near byte {bytes}.", "This is a defect: report it.");
                bytes += 2 * read;
            }
        }
        return new StreamTimes(Stopwatch.GetElapsedTime(began), Process.GetCurrentProcess().TotalProcessorTime - cpu, bytes);
    }

    private static async Task<NpgsqlConnection> OpenAsync(NpgsqlDataSource side, CancellationToken ct)
    {
        var connection = await side.OpenConnectionAsync(ct);
        await using var command = new NpgsqlCommand(
            "SET timezone = 'UTC'; SET max_parallel_workers_per_gather = 0; SET jit = off",
            connection
        );
        await command.ExecuteNonQueryAsync(ct);
        return connection;
    }

    private static Task<NpgsqlRawCopyStream> CopyAsync(
        NpgsqlConnection connection,
        string table,
        string key,
        IEnumerable<string> values,
        CancellationToken ct
    ) =>
        connection.BeginRawBinaryCopyAsync(
            $"COPY (SELECT {Sql.Identifier(key)}::bigint, {string.Join(", ", values)} "
                + $"FROM {table} AS cdc_row ORDER BY cdc_row.{Sql.Identifier(key)}) TO STDOUT (FORMAT BINARY)",
            ct
        );
}
