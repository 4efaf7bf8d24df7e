using Cdc.Workload.Plan;

namespace Cdc.Workload;

/// <summary>What the generator does to a database that looks like Odoo's.</summary>
public sealed record WorkloadOptions
{
    /// <summary>Npgsql connection string of a role that may write the loyalty tables.</summary>
    public required string ConnectionString { get; init; }

    /// <summary>Each session's sequence of transactions is a function of the seed.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Of all sessions together; null: flat out.</summary>
    public double? TransactionsPerSecond { get; init; }

    /// <summary>Null: until <see cref="Transactions"/>, or until cancelled.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>Of all sessions together; null: until <see cref="Duration"/>, or until cancelled.</summary>
    public long? Transactions { get; init; }
    public int Sessions { get; init; } = 4;
    public WorkloadMix Mix { get; init; } = WorkloadMix.Usual;

    /// <summary>False: commits return before they are flushed, which builds backlogs faster. The changes are the same.</summary>
    public bool SynchronousCommit { get; init; } = true;

    /// <summary>Moves that one expiry job expires.</summary>
    public int ExpiryRows { get; init; } = 2000;

    /// <summary>Moves, and as many history rows, that one import copies.</summary>
    public int BulkRows { get; init; } = 500;

    /// <summary>Whose tables they are.</summary>
    public OdooVersion Odoo { get; init; }

    /// <summary>
    /// True: a statement that the server refuses because a table has become another (it or a column is gone, it is a view, it has no
    /// identity to update by) counts as refused, as it is Odoo's user who sees that, and work goes on. False: it ends the run.
    /// </summary>
    public bool OutlivesRefusals { get; init; }

    /// <summary>Create the loyalty tables when they are not there.</summary>
    public bool CreateTables { get; init; }

    /// <summary>Rows that <see cref="WorkloadGenerator.PrepareAsync"/> adds.</summary>
    public InitialRows Initial { get; init; } = new();
}

/// <summary>Rows added before the first transaction.</summary>
public sealed record InitialRows
{
    public int Programs { get; init; }
    public int Cards { get; init; }
    public int Moves { get; init; }
    public int History { get; init; }

    /// <summary>True: nothing is added to a database that has cards, so that a command can be run again.</summary>
    public bool OnlyWhenEmpty { get; init; }

    /// <summary>A shop of this many cards, with 5 programs, 2 moves and 10 history rows a card.</summary>
    public static InitialRows Shop(int cards) =>
        new()
        {
            Programs = 5,
            Cards = cards,
            Moves = 2 * cards,
            History = 10 * cards,
        };
}
