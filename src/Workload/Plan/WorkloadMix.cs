namespace Cdc.Workload.Plan;

/// <summary>How often each kind comes, relative to the others. Deletes and jobs are rare: the data grows slowly.</summary>
public sealed record WorkloadMix
{
    public int Order { get; init; } = 8400;
    public int NewCard { get; init; } = 300;
    public int Earn { get; init; } = 500;
    public int Consume { get; init; } = 400;
    public int SwapCodes { get; init; } = 80;
    public int Rollback { get; init; } = 100;
    public int Savepoint { get; init; } = 100;
    public int Unlink { get; init; } = 60;
    public int RepeatableRead { get; init; } = 50;
    public int BulkCopy { get; init; } = 6;
    public int Expiry { get; init; } = 4;
    public int Damage { get; init; }
    public int Repair { get; init; }

    /// <summary>Odoo's usual day.</summary>
    public static WorkloadMix Usual { get; } = new();

    /// <summary>Now and then a value that the engine rejects, mostly corrected later.</summary>
    public static WorkloadMix WithBadRows { get; } = new() { Damage = 60, Repair = 45 };

    /// <summary>Only transactions of one update and one insert.</summary>
    public static WorkloadMix OrdersOnly { get; } =
        new()
        {
            Order = 1,
            NewCard = 0,
            Earn = 0,
            Consume = 0,
            SwapCodes = 0,
            Rollback = 0,
            Savepoint = 0,
            Unlink = 0,
            RepeatableRead = 0,
            BulkCopy = 0,
            Expiry = 0,
        };

    internal int WeightOf(TransactionKind kind) =>
        kind switch
        {
            TransactionKind.Order => Order,
            TransactionKind.NewCard => NewCard,
            TransactionKind.Earn => Earn,
            TransactionKind.Consume => Consume,
            TransactionKind.SwapCodes => SwapCodes,
            TransactionKind.Rollback => Rollback,
            TransactionKind.Savepoint => Savepoint,
            TransactionKind.Unlink => Unlink,
            TransactionKind.RepeatableRead => RepeatableRead,
            TransactionKind.BulkCopy => BulkCopy,
            TransactionKind.Expiry => Expiry,
            TransactionKind.Damage => Damage,
            TransactionKind.Repair => Repair,
            _ => throw new ArgumentOutOfRangeException(nameof(kind)),
        };
}
