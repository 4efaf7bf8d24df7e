namespace Cdc.Workload.Plan;

/// <summary>
/// The endless sequence of one session's transactions: a function of seed, session and mix alone. Early on each kind of the mix comes
/// once, so that a short run shows all of them.
/// </summary>
internal sealed class SessionPlan
{
    private const int ShowEvery = 5;
    private readonly TransactionKind[] _kinds;
    private readonly int[] _upTo;
    private Dice _dice;
    private long _next;

    public SessionPlan(int seed, int session, WorkloadMix mix)
    {
        // Two sessions that expire the same moves would only wait for each other.
        _kinds = [.. Enum.GetValues<TransactionKind>().Where(k => mix.WeightOf(k) > 0 && (k != TransactionKind.Expiry || session == 0))];
        if (_kinds.Length == 0)
            throw new ArgumentException("The mix has no kind of transaction with a weight above 0.", nameof(mix));
        var sum = 0;
        _upTo = [.. _kinds.Select(k => sum += mix.WeightOf(k))];
        _dice = Dice.For(seed, session);
    }

    public PlannedTransaction Next()
    {
        var drawn = Draw();
        var shown = _next % ShowEvery == ShowEvery - 1 ? _next / ShowEvery : long.MaxValue;
        _next++;
        var kind = shown < _kinds.Length ? _kinds[shown] : drawn;
        return new PlannedTransaction(kind, (uint)_dice.Next(), (uint)_dice.Next(), DrawPoints(), _dice.Next());
    }

    private TransactionKind Draw()
    {
        var at = _dice.Below(_upTo[^1]);
        return _kinds[Array.FindIndex(_upTo, end => at < end)];
    }

    // Steps of five cents: as binary fractions they add up to balances such as 0.30000000000000004, which Odoo has too.
    private double DrawPoints()
    {
        var points = (1 + _dice.Below(2000)) / 20.0;
        return _dice.OneIn(4) ? -points : points;
    }
}
