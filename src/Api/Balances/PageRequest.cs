using System.Globalization;
using Cdc.Api.Problems;
using Microsoft.AspNetCore.Http;

namespace Cdc.Api.Balances;

/// <summary><c>cursor</c> and <c>limit</c> of a page.</summary>
internal readonly record struct PageRequest(Cursor? After, int Limit)
{
    private const int MostItems = 200;
    private const int UsualItems = 50;

    public static PageRequest? Read(IQueryCollection query, out Problem? problem)
    {
        problem = null;
        var (cursor, limit) = ((string?)query["cursor"], (string?)query["limit"]);
        Cursor after = default;
        var items = UsualItems;
        if (cursor is not null && !Cursor.TryParse(cursor, out after))
            problem = KnownProblems.Invalid("cursor", "cursor is the nextCursor of the page before, as it was given.");
        else if (
            limit is not null
            && (!int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out items) || items is < 1 or > MostItems)
        )
            problem = KnownProblems.Invalid("limit", $"limit is a number from 1 to {MostItems}.");
        return problem is null ? new PageRequest(cursor is null ? null : after, items) : null;
    }

    /// <summary>A cursor of another list would give an arbitrary page of this one.</summary>
    public Problem? OfAnother(long owner) =>
        After is { } after && after.Owner != owner ? KnownProblems.Invalid("cursor", "cursor belongs to another list.") : null;
}
