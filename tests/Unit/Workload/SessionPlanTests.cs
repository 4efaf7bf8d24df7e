using Cdc.Workload.Plan;
using Xunit;

namespace Cdc.Tests.Unit.Workload;

public sealed class SessionPlanTests
{
    [Fact]
    public void The_same_seed_plans_the_same_transactions() =>
        Assert.Equal(Plan(seed: 7, session: 2, count: 5000), Plan(seed: 7, session: 2, count: 5000));

    [Theory]
    [InlineData(8, 2)]
    [InlineData(7, 3)]
    public void Another_seed_or_session_plans_others(int seed, int session) => Assert.NotEqual(Plan(7, 2, 100), Plan(seed, session, 100));

    [Fact]
    public void Every_kind_of_the_mix_comes_early() =>
        Assert.Equal(Enum.GetValues<TransactionKind>(), Plan(1, 0, 65, WorkloadMix.WithBadRows).Select(t => t.Kind).Distinct().Order());

    [Fact]
    public void Values_that_the_engine_rejects_come_only_when_asked_for() =>
        Assert.DoesNotContain(Plan(1, 0, 50_000), t => t.Kind is TransactionKind.Damage or TransactionKind.Repair);

    [Fact]
    public void Most_transactions_are_orders_of_two_rows() =>
        Assert.InRange(Plan(3, 0, 20_000).Count(t => t.Kind == TransactionKind.Order), 16_000, 18_000);

    [Fact]
    public void Only_one_session_runs_the_expiry_job() => Assert.DoesNotContain(Plan(1, 1, 50_000), t => t.Kind == TransactionKind.Expiry);

    [Fact]
    public void A_mix_without_any_weight_is_refused() =>
        Assert.Throws<ArgumentException>(() => new SessionPlan(1, 0, WorkloadMix.OrdersOnly with { Order = 0 }));

    private static List<PlannedTransaction> Plan(int seed, int session, int count, WorkloadMix? mix = null)
    {
        var plan = new SessionPlan(seed, session, mix ?? WorkloadMix.Usual);
        return [.. Enumerable.Range(0, count).Select(_ => plan.Next())];
    }
}
