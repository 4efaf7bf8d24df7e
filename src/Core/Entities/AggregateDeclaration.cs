using Cdc.Core.Postgres;

namespace Cdc.Core.Entities;

/// <summary>
/// Sums over an entity's rows that the engine keeps as they change (<c>"aggregate"</c>): for each value of <see cref="By"/> and each day on
/// which rows end, what they add up to. A row that draws from another ends with that one too.
/// </summary>
/// <param name="By">Engine column, bigint.</param>
/// <param name="Sum">Engine column, numeric.</param>
/// <param name="Until">Engine column, date: the last day on which a row counts; NULL never ends. Null: no row ends.</param>
/// <param name="Through">Engine column, bigint: the key of the row that this one draws from. Null: there is none.</param>
public sealed record AggregateDeclaration(string Schema, string Table, string By, string Sum, string? Until, string? Through)
{
    public string Name => $"{Postgres.Sql.Identifier(Schema)}.{Sql.Identifier(Table)}";

    /// <summary>Of the table: the last day on which its sum counts, or infinity.</summary>
    public const string DayColumn = "until";

    /// <summary>Of the table.</summary>
    public const string SumColumn = "points";
}
