using Cdc.Core.Postgres;

namespace Cdc.Core.Entities;

/// <summary>
/// The key of a source's rows as the one number that stands for it everywhere else: in changes, in the engine's tables, in ranges. Of one
/// integer column it is the column's value. Of two (<see cref="KeyPair"/>) it is made of both, in their order, so that a range of numbers is a
/// range of the source's index.
/// </summary>
/// <param name="first">Name of the first column.</param>
/// <param name="second">Name of the second one; null: there is one column.</param>
public sealed class SourceKey(string first, string? second)
{
    public bool IsPair => second is not null;

    /// <summary>In the order of the key.</summary>
    public IReadOnlyList<string> Columns { get; } = second is null ? [first] : [first, second];

    /// <summary>As it is shown to people, such as <c>id</c> or <c>loyalty_program_id, pos_config_id</c>.</summary>
    public string Shown => string.Join(", ", Columns);

    /// <summary>SQL: the key's number, bigint for a pair, else of the column's own type.</summary>
    /// <param name="row">Alias of the source's rows; null: none is needed.</param>
    public string Number(string? row = null) =>
        second is null ? Column(first, row) : $"({Column(first, row)}::bigint * {KeyPair.Step} + {Column(second, row)} - {KeyPair.Offset})";

    /// <summary>SQL: the columns by which rows are in the order of their numbers.</summary>
    public string Order(string? row = null) => string.Join(", ", Columns.Select(c => Column(c, row)));

    /// <summary>The same, falling.</summary>
    public string OrderFalling(string? row = null) => string.Join(", ", Columns.Select(c => Column(c, row) + " DESC"));

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
        second is null
            ? $"{Column(first, row)} = ANY({numbers})"
            : $"({Order(row)}) IN (SELECT {KeyPair.FirstSql("cdc_key")}, {KeyPair.SecondSql("cdc_key")} FROM unnest({numbers}) AS cdc_key)";

    private string Compared(string comparison, string bound, string? row) =>
        second is null
            ? $"{Column(first, row)} {comparison} {bound}"
            : $"({Order(row)}) {comparison} ({KeyPair.FirstSql(bound)}, {KeyPair.SecondSql(bound)})";

    private static string Column(string name, string? row) => row is null ? Sql.Identifier(name) : $"{row}.{Sql.Identifier(name)}";
}
