using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Reconcile.Fences;
using Cdc.Reconcile.Tables;

namespace Cdc.Reconcile.Comparing;

/// <param name="Drift">Differences, as many as were asked for; <see cref="SliceNumbers.Drift"/> counts all of them.</param>
/// <param name="Unlisted">Keys that differ and are counted, but whose values were not fetched.</param>
/// <param name="LeftOut">What was not compared.</param>
/// <param name="Totals">Empty where they were not asked for.</param>
internal sealed record SliceResult(
    SliceNumbers Numbers,
    IReadOnlyList<DriftRecord> Drift,
    long Unlisted,
    ExceptionKeys LeftOut,
    IReadOnlyList<MoneyTotal> Totals
);

/// <summary>
/// Compares one slice of an entity within one fence: sums of all spans at once, then 64 parts of each span that differs, then key by key,
/// and values only of keys that differ.
/// </summary>
/// <param name="money">Null: no totals.</param>
internal sealed class SliceComparison(
    EntityDeclaration entity,
    IReadOnlyList<CanonicalColumn> columns,
    SideSql source,
    SideSql engine,
    MoneySql? money = null
)
{
    private const int Parts = 64;

    /// <summary>Spans of so many rows are compared key by key.</summary>
    private const int LeafRows = 64;
    private const int ValuesAtOnce = 1000;

    private bool _withoutParents;

    /// <param name="spans">Tile the slice.</param>
    /// <param name="maxDrift">Differing keys whose values are wanted.</param>
    public async Task<SliceResult> CompareAsync(FencedSnapshots fence, IReadOnlyList<KeySpan> spans, int maxDrift, CancellationToken ct)
    {
        var slice = new KeySpan(spans[0].Low, spans[^1].High);
        var except = await ExceptionKeys.ReadAsync(fence, entity, slice, ct);
        var leaveOut = except.All;
        var (left, right) = (new SideReader(fence.Source, source, leaveOut), new SideReader(fence.Engine, engine, leaveOut));
        var compared = spans.SelectMany(s => s.Without(except.Loading)).ToList();
        var numbers = new SliceNumbers
        {
            InFlight = except.InFlight.Count,
            Quarantined = except.Quarantined.Count,
            Holes = except.Holes.Count,
            Loading = await left.CountAsync(except.Loading, ct),
        };
        var (equal, leaves) = await DescendAsync(left, right, compared, SlicePacer.Expected(spans), ct);
        var differing = await DifferingAsync(left, right, leaves, ct);
        numbers += equal + differing.Numbers;
        var listed = differing.Keys.Take(maxDrift).ToList();
        var drift = await ValuesAsync(left, right, listed, ct);
        // Hashes may differ where values do not (servers of two encodings): what counts is the value.
        numbers = numbers with
        {
            Differing = numbers.Differing - (listed.Count - drift.Select(d => d.Key).Distinct().Count()),
        };
        var own = entity.Reverse is null
            ? new OwnRows(default, [])
            : await TableAccess.ReadAsync(
                Server.Engine,
                entity,
                () => OwnRows.ReadAsync(fence.Engine, entity, compared, leaveOut, maxDrift - listed.Count, ct)
            );
        numbers = numbers with { Own = own.Numbers };
        var parents = money?.Parent is null || _withoutParents ? null : await MoneyParents.ReadAsync(fence, money, ct);
        // Of an entity once and for all: a table that is locked is waited for, and half of a sum by programs would be none.
        _withoutParents = parents is null;
        var totals = money is null ? [] : await TotalsAsync(left, right, money, compared, parents, ct);
        return new SliceResult(numbers, [.. drift, .. own.Drift], differing.Keys.Count - listed.Count + own.Unlisted, except, totals);
    }

    /// <summary>Numbers of the spans that are equal, and the small spans that are not.</summary>
    private static async Task<(SliceNumbers Equal, List<KeySpan> Leaves)> DescendAsync(
        SideReader left,
        SideReader right,
        List<KeySpan> spans,
        double rows,
        CancellationToken ct
    )
    {
        var (equal, leaves) = (new SliceNumbers(), new List<KeySpan>());
        while (spans.Count > 0)
        {
            var (sums, others) = await BothAsync(left.SumsAsync(spans, rows, ct), right.SumsAsync(spans, rows, ct));
            var next = new List<KeySpan>();
            rows = 0;
            for (var i = 0; i < spans.Count; i++)
            {
                if (sums[i].Hash is not null && sums[i] == others[i])
                    equal += new SliceNumbers
                    {
                        SourceRows = sums[i].Rows,
                        EngineRows = sums[i].Rows,
                        Compared = sums[i].Rows,
                    };
                else if (IsLeaf(spans[i], sums[i], others[i]))
                    leaves.Add(spans[i]);
                else
                {
                    next.AddRange(spans[i].Split(Parts));
                    rows += Math.Max(sums[i].Rows, others[i].Rows);
                }
            }
            spans = next;
        }
        return (equal, leaves);
    }

    private static bool IsLeaf(KeySpan span, SpanSum left, SpanSum right) =>
        span.Width <= LeafRows || (left.Hash is not null && right.Hash is not null && Math.Max(left.Rows, right.Rows) <= LeafRows);

    private static async Task<(SliceNumbers Numbers, List<long> Keys)> DifferingAsync(
        SideReader left,
        SideReader right,
        List<KeySpan> leaves,
        CancellationToken ct
    )
    {
        var (sources, engines) = await BothAsync(left.HashesAsync(leaves, ct), right.HashesAsync(leaves, ct));
        var (missing, differing) = (new List<long>(), new List<long>());
        foreach (var (key, hash) in sources)
            if (!engines.TryGetValue(key, out var other))
                missing.Add(key);
            else if (hash is null || hash != other)
                differing.Add(key);
        var extra = engines.Keys.Where(key => !sources.ContainsKey(key)).ToList();
        var numbers = new SliceNumbers
        {
            SourceRows = sources.Count,
            EngineRows = engines.Count,
            Compared = sources.Count + extra.Count,
            Missing = missing.Count,
            Extra = extra.Count,
            Differing = differing.Count,
        };
        return (numbers, [.. missing.Concat(extra).Concat(differing).Order()]);
    }

    private async Task<IReadOnlyList<DriftRecord>> ValuesAsync(SideReader left, SideReader right, List<long> keys, CancellationToken ct)
    {
        var drift = new List<DriftRecord>();
        foreach (var some in keys.Chunk(ValuesAtOnce))
        {
            var (sources, engines) = await BothAsync(left.ValuesAsync(some, ct), right.ValuesAsync(some, ct));
            foreach (var key in some)
                drift.AddRange(
                    RowDifferences.Of(entity.Name, columns, key, sources.GetValueOrDefault(key), engines.GetValueOrDefault(key))
                );
        }
        return drift;
    }

    private async Task<IReadOnlyList<MoneyTotal>> TotalsAsync(
        SideReader left,
        SideReader right,
        MoneySql wanted,
        List<KeySpan> spans,
        ExceptionKeys? parents,
        CancellationToken ct
    )
    {
        if (wanted.Money.Count == 0 || spans.Count == 0)
            return [];
        var (odoo, engines) = await BothAsync(
            left.TotalsAsync(wanted.Source(source, byParent: parents is not null), spans, parents, ct),
            right.TotalsAsync(wanted.Engine(engine, byParent: parents is not null), spans, parents, ct)
        );
        // A NaN on one side must not make the other side's sum appear as drift: the slice is left out of both. Which row it is, the drift
        // says.
        if (odoo is null || engines is null)
            return [];
        return
        [
            .. odoo
                .Keys.Union(engines.Keys)
                .SelectMany(group =>
                    wanted.Money.Select(
                        (column, i) =>
                            new MoneyTotal(
                                column.Name,
                                group.Program,
                                group.Company,
                                odoo.GetValueOrDefault(group)?[i] ?? 0,
                                engines.GetValueOrDefault(group)?[i] ?? 0
                            )
                    )
                ),
        ];
    }

    private static async Task<(T, T)> BothAsync<T>(Task<T> left, Task<T> right)
    {
        await Task.WhenAll(left, right);
        return (await left, await right);
    }
}
