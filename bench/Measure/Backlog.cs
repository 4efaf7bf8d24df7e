namespace Cdc.Bench.Measure;

/// <summary>Changes that were committed in Odoo while nobody streamed.</summary>
/// <param name="End">LSN at which the WAL ended after them.</param>
internal abstract record Backlog(string End)
{
    /// <summary>Row changes.</summary>
    public required long Rows { get; init; }

    /// <summary>SQL for the share, from 0 to 1, that a replica shows. It applies commits in order, and one commit at once.</summary>
    public abstract string ShareSql(IReplica replica);
}

internal sealed record OrderBacklog : Backlog
{
    private readonly int _first, _last;

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public OrderBacklog(int first, int last, string end) : base(end) => (_first, _last, Rows) = (first, last, 2L * (last - first + 1));

    public override string ShareSql(IReplica replica) =>
        $"SELECT greatest(coalesce(max(id), 0) - {_first - 1}, 0) / {_last - _first + 1}::float8 FROM {replica.HistoryTable}";
}

internal sealed record BulkBacklog : Backlog
{
    private readonly int _lastCard, _points;

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public BulkBacklog(long rows, int lastCard, int points, string end) : base(end) => (Rows, _lastCard, _points) = (rows, lastCard, points);

    public override string ShareSql(IReplica replica) =>
        $"SELECT (points = {_points})::integer::float8 FROM {replica.CardTable} WHERE id = {_lastCard}";
}
