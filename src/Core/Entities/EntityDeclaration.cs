using Cdc.Core.Postgres;

namespace Cdc.Core.Entities;

/// <summary>A column of the source table that the declaration reads.</summary>
/// <param name="Slot">Index in <see cref="EntityDeclaration.SourceColumns"/>, and in a SourceRow.</param>
public sealed record SourceColumn(int Slot, string Name, SourceType Type);

/// <summary>A column of the engine's table.</summary>
/// <param name="Type">PostgreSQL type as declared, such as <c>numeric(18,2)</c>.</param>
/// <param name="Value">The SQL expression over source columns that defines it; Reconcile uses it as it is.</param>
/// <param name="NotNull">A row without a value goes to quarantine.</param>
public sealed record EngineColumn(string Name, string Type, string Value, bool NotNull);

/// <summary>A rule that a source row must pass. As in a CHECK constraint, NULL passes.</summary>
/// <param name="Name">Stable word shown as the quarantine's reason, such as <c>code-empty</c>.</param>
/// <param name="Check">SQL expression over source columns.</param>
/// <param name="Warn">True: the row is applied and counted. False: it goes to quarantine.</param>
public sealed record RowRule(string Name, string Check, string Message, bool Warn);

/// <param name="Column">Engine column that names the parent.</param>
/// <param name="Entity">Name of the parent's entity.</param>
public sealed record ParentReference(string Column, string Entity);

/// <summary>One source table and the engine table it feeds.</summary>
public sealed record EntityDeclaration
{
    /// <summary>Ids from here on were born in the engine: no source row explains them, and no source event may delete them.</summary>
    public const long FirstEngineId = 1L << 32;

    /// <summary>Place in the declaration; what ChangeEvents carry.</summary>
    public required int Index { get; init; }

    /// <summary>Short name used in commands and tables, such as <c>card</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Schema of the source table, such as <c>public</c>.</summary>
    public required string SourceSchema { get; init; }
    public required string SourceTable { get; init; }
    public required string EngineSchema { get; init; }
    public required string EngineTable { get; init; }

    /// <summary>The source's key column, an integer; of a key of several columns the first.</summary>
    public required SourceColumn Key { get; init; }

    /// <summary>The second one, an integer too, such as in Odoo's many-to-many tables; null: the key is one column.</summary>
    public SourceColumn? SecondKey { get; init; }

    /// <summary>
    /// All columns of a key that is known by a hash (<see cref="KeyHash"/>), in its order: integers, texts, uuids; null: it is none.
    /// </summary>
    public IReadOnlyList<SourceColumn>? HashedKey { get; init; }

    /// <summary>Which number stands for a row's key.</summary>
    public SourceKey SourceKey => HashedKey is null ? new(Key.Name, SecondKey?.Name) : new(HashedKey);

    /// <summary>In the order of the key.</summary>
    public IEnumerable<SourceColumn> KeyColumns => HashedKey ?? (SecondKey is null ? [Key] : [Key, SecondKey]);

    /// <summary>The key is one integer, which is its number: what needs an id of Odoo's has one.</summary>
    public bool HasId => SecondKey is null && HashedKey is null;

    /// <summary>
    /// The engine's key column (bigint, primary key); for rows born in Odoo it is Odoo's id, or the number of its two columns
    /// (<see cref="KeyPair"/>), or a hash (<see cref="KeyHash"/>).
    /// </summary>
    public required string EngineKey { get; init; }

    /// <summary>By slot. Includes the key.</summary>
    public required IReadOnlyList<SourceColumn> SourceColumns { get; init; }

    /// <summary>Without the key, the position columns and sync_version, which Apply writes itself.</summary>
    public required IReadOnlyList<EngineColumn> Columns { get; init; }
    public required IReadOnlyList<RowRule> Rules { get; init; }
    public required IReadOnlyList<ParentReference> Parents { get; init; }

    /// <summary>Rows are mostly inserted with rising keys and rarely updated: new ones are copied straight in.</summary>
    public bool AppendMostly { get; init; }

    /// <summary>The engine's table counts applied updates in a column <c>sync_version</c>.</summary>
    public bool HasSyncVersion { get; init; }

    /// <summary>
    /// Engine column (text) by which rows are looked up: changes are announced by NOTIFY with the key and a hash of its value, so that
    /// others can keep rows in memory. Null: changes are not announced.
    /// </summary>
    public string? NotifyColumn { get; init; }

    /// <summary>What its rows add up to, kept in a table of its own; null: nothing is kept.</summary>
    public AggregateDeclaration? Aggregate { get; init; }

    /// <summary>What of it flows back to Odoo; null: nothing, and its rows have no owner but Odoo.</summary>
    public ReverseDeclaration? Reverse { get; init; }

    /// <summary>The engine column with Odoo's id, which a row that was born in the engine gets when Odoo has it; null: none is declared.</summary>
    public EngineColumn? OdooId => SecondKey is null ? Columns.FirstOrDefault(c => c.Value == Key.Name) : null;

    /// <summary>Its part in what the Api answers; null: it has none.</summary>
    public ServedRole? Serves { get; init; }

    /// <summary>The engine column that is this part of its role; null: none is declared.</summary>
    public string? ServedColumn(string part) => Serves?.ColumnOf(part, this);

    /// <summary>Quoted where needed, such as <c>public.loyalty_card</c>.</summary>
    public string SourceName => $"{Sql.Identifier(SourceSchema)}.{Sql.Identifier(SourceTable)}";

    /// <summary>
    /// Where its rows are read: of tables that inherit from it (not its partitions) the stream says nothing under its name.
    /// </summary>
    public string SourceRows => $"ONLY {SourceName}";

    public string EngineName => $"{Sql.Identifier(EngineSchema)}.{Sql.Identifier(EngineTable)}";
}
