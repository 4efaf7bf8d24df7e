using System.Diagnostics;
using System.Runtime.CompilerServices;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Engine.Tables;
using Cdc.Reconcile.Tables;
using Npgsql;

namespace Cdc.Reconcile.Comparing;

/// <summary>A slice that was compared, where, and how long its snapshots were held.</summary>
/// <param name="LastChange">The last change of any table that the engine had applied, as text; null if there was none.</param>
internal sealed record ComparedSlice(KeySpan Span, int Generation, Lsn Marker, string? LastChange, TimeSpan Held, SliceResult Result);

/// <summary>Compares one entity's keys slice by slice, each within its own fence.</summary>
/// <param name="withTotals">Money is summed too.</param>
internal sealed class EntityComparison(
    EntityDeclaration entity,
    ComparedServers servers,
    ReconcileOptions options,
    DateTimeOffset? since = null,
    bool withTotals = false
)
{
    /// <summary>All keys were in flight (a truncate): compare again, at most this often.</summary>
    private const int MostTruncates = 20;

    private readonly SlicePacer _pacer = new(options);

    /// <summary>Slices in the order of their keys; together they cover the range without a gap.</summary>
    /// <param name="maxDrift">Asked before each slice: differing keys whose values are wanted.</param>
    public async IAsyncEnumerable<ComparedSlice> CompareAsync(
        KeySpan range,
        Func<int> maxDrift,
        [EnumeratorCancellation] CancellationToken ct
    )
    {
        var comparison = await PrepareAsync(range, ct);
        for (var rest = range; !rest.IsEmpty; )
        {
            var slice = await CompareNextAsync(comparison, rest, maxDrift(), ct);
            yield return slice;
            rest = rest with { Low = slice.Span.High };
        }
    }

    private async Task<(SliceComparison Slices, SideSql Source, SideSql Engine)> PrepareAsync(KeySpan range, CancellationToken ct)
    {
        await using var connection = await servers.Source.OpenConnectionAsync(ct);
        var types = await ComparedSession.TypesAsync(connection, entity, ct);
        var sameBytes = await HasSameEncodingAsync(connection, ct);
        CanonicalColumn[] columns = [.. entity.Columns.Select(c => CanonicalColumn.Of(c, types, sameBytes))];
        var (left, right) = (SideSql.Source(entity, columns, since), SideSql.Engine(entity, columns, since));
        if (await EndsAsync(left, right, range, ct) is ({ } lowest, { } highest))
            _pacer.Expect(lowest, highest, await ComparedSession.EstimateAsync(connection, entity, ct));
        return (
            new SliceComparison(entity, columns, left, right, withTotals ? new MoneySql(entity, servers.Entities, columns) : null),
            left,
            right
        );
    }

    private async Task<bool> HasSameEncodingAsync(NpgsqlConnection source, CancellationToken ct)
    {
        await using var engine = await servers.Engine.OpenConnectionAsync(ct);
        return ServerEncoding.Of(source.PostgresParameters) == ServerEncoding.Of(engine.PostgresParameters);
    }

    private async Task<ComparedSlice> CompareNextAsync(
        (SliceComparison Slices, SideSql Source, SideSql Engine) comparison,
        KeySpan rest,
        int maxDrift,
        CancellationToken ct
    )
    {
        for (var truncates = 0; ; )
        {
            var (lowest, highest) = await EndsAsync(comparison.Source, comparison.Engine, rest, ct);
            var spans = _pacer.Next(rest, lowest, highest);
            try
            {
                var slice = await CompareAsync(comparison.Slices, spans, maxDrift, ct);
                if (slice is not null)
                    return slice;
                if (++truncates == MostTruncates)
                    throw Unable("its table is truncated all the time", "Compare it when Odoo does not truncate it.", null);
            }
            // The server's statement_timeout: the only reason for a cancelled statement that is not ours.
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.QueryCanceled && !ct.IsCancellationRequested)
            {
                if (!_pacer.TookTooLong())
                    throw Unable(
                        $"even a small slice takes longer than {options.StatementTimeout}",
                        "Raise Reconcile:StatementTimeout, or compare when the servers have less to do.",
                        e
                    );
            }
            catch (SliceException e)
            {
                throw Unable(e.Message, "Check the declaration's expressions and rules for this entity, and at 'cdc quarantine list'.", e);
            }
        }
    }

    /// <returns>Null if every key was in flight.</returns>
    private async Task<ComparedSlice?> CompareAsync(
        SliceComparison slices,
        IReadOnlyList<KeySpan> spans,
        int maxDrift,
        CancellationToken ct
    )
    {
        var span = new KeySpan(spans[0].Low, spans[^1].High);
        await using var fence = await servers.Fences.OpenAsync(entity, span.ToRange(), ct);
        if (fence.InFlight.All)
            return null;
        var began = Stopwatch.GetTimestamp();
        await ComparedSession.PrepareAsync(fence.Source, options.StatementTimeout, ct);
        await ComparedSession.PrepareAsync(fence.Engine, options.StatementTimeout, ct);
        var result = await slices.CompareAsync(fence, spans, maxDrift, ct);
        var held = Stopwatch.GetElapsedTime(began);
        _pacer.Took(held, Math.Max(result.Numbers.SourceRows, result.Numbers.EngineRows), spans);
        return new ComparedSlice(
            span,
            fence.Generation,
            fence.Marker,
            await CheckpointQueries.LastChangeAsync(fence.Engine, ct),
            held,
            result
        );
    }

    /// <summary>The lowest and the highest key of both sides. Only where slices are cut depends on it, so that it needs no fence.</summary>
    private async Task<(long? Lowest, long? Highest)> EndsAsync(SideSql left, SideSql right, KeySpan range, CancellationToken ct)
    {
        var (a, b) = (await EndsAsync(servers.Source, left, range, ct), await EndsAsync(servers.Engine, right, range, ct));
        return (Least(a.Lowest, b.Lowest), -Least(-a.Highest, -b.Highest));
    }

    private async Task<(long? Lowest, long? Highest)> EndsAsync(NpgsqlDataSource side, SideSql sql, KeySpan range, CancellationToken ct)
    {
        await using var connection = await side.OpenConnectionAsync(ct);
        var query = connection.Statement(sql.Ends, range.Low, range.High);
        return await TableAccess.ReadShortlyAsync(
            sql.Server,
            entity,
            connection,
            async () => (await query.RowsAsync(row => (row.Long(0), row.Long(1)), ct)).Single(),
            ct
        );
    }

    private static long? Least(long? a, long? b) => a is { } x && b is { } y ? Math.Min(x, y) : a ?? b;

    private TableException Unable(string why, string remedy, Exception? inner) =>
        new(FailureKind.Unavailable, $"{entity.Name} cannot be compared: {why}.", remedy, inner);
}
