namespace Cdc.Api.Engine;

/// <summary>PostgreSQL's times reach from 4713 BC to the year 294276 and to infinity, .NET's and JSON's from year 1 to 9999.</summary>
internal static class RepresentableTime
{
    /// <summary>The column's value, or the nearest that they can represent.</summary>
    public static string Of(string column) =>
        $"CASE WHEN {column} > '9999-12-31 23:59:59.999999+00' THEN '9999-12-31 23:59:59.999999+00' WHEN {column} < '0001-01-01 "
        + $"00:00:00+00' THEN '0001-01-01 00:00:00+00' ELSE {column} END";

    /// <summary>The same of a day.</summary>
    public static string OfDay(string column) =>
        $"CASE WHEN {column} > '9999-12-31' THEN '9999-12-31' WHEN {column} < '0001-01-01' THEN '0001-01-01' ELSE {column} END";
}
