using Cdc.Core.Postgres;

namespace Cdc.Core.Entities;

/// <summary>
/// The key of a source's rows as the one number that stands for it everywhere else: in changes, in the engine's tables, in ranges. Of one
/// integer column it is the column's value. Of two (<see cref="KeyPair"/>) it is made of both, in their order, so that a range of numbers is a
/// range of the source's index. Of all others it is a hash (<see cref="KeyHash"/>), which no index of the source has in its order.
/// </summary>
public sealed class SourceKey
{
    private readonly IReadOnlyList<SourceColumn>? _hashed;

    /// <param name="first">Name of the first column.</param>
    /// <param name="second">Name of the second one; null: there is one column.</param>
    public SourceKey(string first, string? second) => Columns = second is null ? [first] : [first, second];

    /// <param name="hashed">In the order of the key.</param>
    public SourceKey(IReadOnlyList<SourceColumn> hashed) => (_hashed, Columns) = (hashed, [.. hashed.Select(c => c.Name)]);

    public bool IsPair => _hashed is null && Columns.Count == 2;

    public bool IsHashed => _hashed is not null;

    /// <summary>In the order of the key.</summary>
    public IReadOnlyList<string> Columns { get; }

    /// <summary>As it is shown to people, such as <c>id</c> or <c>loyalty_program_id, pos_config_id</c>.</summary>
    public string Shown => string.Join(", ", Columns);

    /// <summary>SQL: the key's number, bigint for a pair, else of the column's own type.</summary>
    /// <param name="row">Alias of the source's rows; null: none is needed.</param>
    public string Number(string? row = null) =>
        _hashed is not null ? $"({KeyHash.Sql(KeySpelling.TextSql(_hashed, row))})"
        : IsPair ? $"({Column(Columns[0], row)}::bigint * {KeyPair.Step} + {Column(Columns[1], row)} - {KeyPair.Offset})"
        : Column(Columns[0], row);

    /// <summary>SQL: the columns by which rows are in the order of their numbers.</summary>
    public string Order(string? row = null) => IsHashed ? Number(row) : string.Join(", ", Columns.Select(c => Column(c, row)));

    /// <summary>The same, falling.</summary>
    public string OrderFalling(string? row = null) =>
        IsHashed ? Number(row) + " DESC" : string.Join(", ", Columns.Select(c => Column(c, row) + " DESC"));

    /// <summary>SQL: the row's number is <paramref name="bound"/> or above it; an index on the columns answers it.</summary>
    /// <param name="bound">A bigint, as SQL.</param>
    public string From(string bound, string? row = null) => Compared(">=", bound, row);

    /// <summary>SQL: the row's number is below <paramref name="bound"/>.</summary>
    public string Below(string bound, string? row = null) => Compared("<", bound, row);

    /// <summary>SQL: the row has this number.</summary>
    public string Is(string bound, string? row = null) => Compared("=", bound, row);

    /// <summary>SQL: the row's number is one of these.</summary>
    /// <param name="numbers">A bigint[], as SQL.</param>
    public string IsIn(string numbers, string? row = null) =>
        !IsPair
            ? $"{Number(row)} = ANY({numbers})"
            : $"({Order(row)}) IN (SELECT {KeyPair.FirstSql("cdc_key")}, {KeyPair.SecondSql("cdc_key")} FROM unnest({numbers}) AS cdc_key)";

    private string Compared(string comparison, string bound, string? row) =>
        !IsPair
            ? $"{Number(row)} {comparison} {bound}"
            : $"({Order(row)}) {comparison} ({KeyPair.FirstSql(bound)}, {KeyPair.SecondSql(bound)})";

    private static string Column(string name, string? row) => row is null ? Sql.Identifier(name) : $"{row}.{Sql.Identifier(name)}";
}
