namespace Cdc.Reconcile.Comparing;

/// <summary>
/// Cuts the rest of an entity's keys into the next slice, so that it has about as many rows as can be compared in the wanted time. Rows and
/// density of the last slice say how wide the next one is.
/// </summary>
internal sealed class SlicePacer(ReconcileOptions options)
{
    private const int LeastRows = 4096;
    private const int MostRows = 4_194_304;

    /// <summary>Small enough that a single difference makes little to read again, large enough that sums are few.</summary>
    private const int RowsOfSpan = 1024;

    /// <summary>A slice must not become a thousand times too wide because a gap came before it.</summary>
    private const double MostGrowth = 4;

    private double _keysPerRow = 1;

    public double Rows { get; private set; } = options.SliceRows;

    /// <summary>What is known before the first slice.</summary>
    /// <param name="rows">Estimated; 0 or less is not known.</param>
    public void Expect(long lowest, long highest, double rows)
    {
        if (rows > 0)
            _keysPerRow = Math.Max(1, ((double)highest - lowest + 1) / rows);
    }

    /// <summary>Spans that tile the beginning of <paramref name="rest"/>, or all of it.</summary>
    /// <param name="lowest">The lowest key of either side in the rest; null: there is none. What is below it belongs to the first
    /// span.</param>
    /// <param name="highest">The highest key of either side.</param>
    public IReadOnlyList<KeySpan> Next(KeySpan rest, long? lowest, long? highest)
    {
        if (lowest is not { } first || highest is not { } last || last < first || !rest.Contains(first))
            return [rest];
        var width = (Int128)Math.Max(1, Rows * _keysPerRow);
        var isLast = first + width > last;
        var end = isLast ? last + 1 : (long)(first + width);
        if (end >= rest.High)
            (end, isLast) = (rest.High, true);
        var dense = new KeySpan(first, end);
        var spans = dense.Split((int)Math.Clamp((double)dense.Width / _keysPerRow / RowsOfSpan, 1, MostRows / RowsOfSpan)).ToArray();
        spans[0] = spans[0] with { Low = rest.Low };
        if (isLast)
            spans[^1] = spans[^1] with { High = rest.High };
        return spans;
    }

    /// <summary>Rows of spans that <see cref="Next"/> has cut, as far as it can know.</summary>
    public static double Expected(IReadOnlyList<KeySpan> spans) => (double)spans.Count * RowsOfSpan;

    /// <summary>A slice was compared.</summary>
    public void Took(TimeSpan time, long rows, IReadOnlyList<KeySpan> spans)
    {
        Rows = Math.Clamp(Rows * Math.Clamp(options.SliceTime / (time + TimeSpan.FromMilliseconds(1)), 0.5, 2), LeastRows, MostRows);
        // The ends of the outer spans are open: only what is between them says how dense the keys are.
        var dense = (double)spans[^1].Low - spans[0].High;
        if (dense > 0)
            _keysPerRow = Math.Clamp(dense / Math.Max(rows, 1), 1, _keysPerRow * MostGrowth);
    }

    /// <summary>The server ended a statement.</summary>
    /// <returns>False if the slice is as small as it can be.</returns>
    public bool TookTooLong()
    {
        if (Rows <= LeastRows && _keysPerRow <= 1)
            return false;
        Rows = Math.Max(LeastRows, Rows / 4);
        _keysPerRow = Math.Max(1, _keysPerRow / 8);
        return true;
    }
}
