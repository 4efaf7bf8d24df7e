using System.Globalization;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Expressions;

namespace Cdc.Reconcile.Comparing;

/// <summary>
/// A window of time: rows of which any date is at or after its beginning. A row without any date cannot be placed and is in it; so is every
/// row of an entity without dates.
/// </summary>
internal static class SinceFilter
{
    public static string? Source(EntityDeclaration entity, DateTimeOffset? since) => Of(entity, since, c => $"({c.Value})");

    public static string? Engine(EntityDeclaration entity, DateTimeOffset? since) => Of(entity, since, c => Sql.Identifier(c.Name));

    private static string? Of(EntityDeclaration entity, DateTimeOffset? since, Func<EngineColumn, string> value)
    {
        var dates = entity.Columns.Where(IsDate).Select(c => value(c) + "::timestamptz").ToList();
        if (since is not { } from || dates.Count == 0)
            return null;
        // GREATEST passes NULLs over.
        return string.Create(
            CultureInfo.InvariantCulture,
            $"coalesce(greatest({string.Join(", ", dates)}) >= '{from.UtcDateTime:yyyy-MM-dd HH:mm:ss.ffffff}+00'::timestamptz, true)"
        );
    }

    private static bool IsDate(EngineColumn column) =>
        SqlTypeName.Parse(column.Type)!.Value.Family is SqlFamily.Timestamp or SqlFamily.TimestampTz or SqlFamily.Date;
}
