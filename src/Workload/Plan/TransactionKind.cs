namespace Cdc.Workload.Plan;

/// <summary>What Odoo does to the loyalty tables, one transaction each.</summary>
public enum TransactionKind
{
    /// <summary>A sale: one card updated, one history row inserted.</summary>
    Order,

    /// <summary>A card inserted and, as one request of Odoo does, updated in the same transaction.</summary>
    NewCard,

    /// <summary>Points gained: card updated, move and history row inserted.</summary>
    Earn,

    /// <summary>Points used, first expiring first: several moves rewritten, a history row for each.</summary>
    Consume,

    /// <summary>Two cards exchange their codes.</summary>
    SwapCodes,

    /// <summary>Written and rolled back.</summary>
    Rollback,

    /// <summary>Savepoints, one rolled back and one released.</summary>
    Savepoint,

    /// <summary>A card deleted; its moves and history go by cascade.</summary>
    Unlink,

    /// <summary>Read, then write a card that all sessions want, in REPEATABLE READ; serialization failures are tried again.</summary>
    RepeatableRead,

    /// <summary>An import: moves and history by COPY.</summary>
    BulkCopy,

    /// <summary>The daily job: thousands of moves expired in one transaction. One session does it.</summary>
    Expiry,

    /// <summary>A card gets a value that the engine's rules reject.</summary>
    Damage,

    /// <summary>A damaged card gets valid values again.</summary>
    Repair,
}
