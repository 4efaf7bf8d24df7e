namespace Cdc.Bench.Measure;

/// <summary>Changes that were committed in Odoo while nothing streamed.</summary>
/// <param name="End">LSN at which the WAL ended after them.</param>
internal abstract record Backlog(string End)
{
    /// <summary>Row changes.</summary>
    public required long Rows { get; init; }

    /// <summary>Whether a replica shows all of it. By keys: max(id) would scan rows that are not committed yet.</summary>
    public abstract string IsShownSql(IReplica replica);

    /// <summary>Whether it shows the first <see cref="WarmShare"/>; null where everything shows at once.</summary>
    public virtual string? IsWarmSql(IReplica replica) => null;

    /// <summary>After it, caches and compilers are taken to be warm.</summary>
    public const double WarmShare = 0.2;
}

/// <summary>The history rows are committed in the order of their ids, and replicas show commits in their order, but over Kafka.</summary>
internal sealed record OrderBacklog : Backlog
{
    private readonly int _first,
        _last;

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public OrderBacklog(int first, int last, string end)
        : base(end) => (_first, _last, Rows) = (first, last, 2L * (last - first + 1));

    public override string IsShownSql(IReplica replica) => replica.HasReachedSql(End) ?? HasSql(replica, _last);

    public override string IsWarmSql(IReplica replica) => HasSql(replica, _first + (int)((_last - _first) * WarmShare));

    public static string HasSql(IReplica replica, int history) =>
        $"SELECT EXISTS (SELECT FROM {replica.HistoryTable} WHERE id = {replica.KeyOf(history)})";
}

internal sealed record BulkBacklog : Backlog
{
    private readonly int _lastCard,
        _points;

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public BulkBacklog(long rows, int lastCard, int points, string end)
        : base(end) => (Rows, _lastCard, _points) = (rows, lastCard, points);

    public override string IsShownSql(IReplica replica) =>
        replica.HasReachedSql(End) ?? $"SELECT EXISTS (SELECT FROM {replica.CardTable} WHERE id = {_lastCard} AND points = {_points})";
}
