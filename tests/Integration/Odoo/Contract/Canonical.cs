using System.Text.RegularExpressions;

namespace Cdc.Tests.Integration.Odoo.Contract;

/// <summary>
/// Answers without what differs from one Odoo to the next: ids, times, zones, traces, the text of a body. What is left is compared letter
/// by letter, order and form of numbers included.
/// </summary>
internal static partial class Canonical
{
    public static string Of(string answer)
    {
        // What follows is the body of the action, which the recordings leave out.
        var cut = Trace().Replace(answer, "\"debug\": \"…\"").Split(" while evaluating")[0];
        cut = Id().Replace(cut, "\"$1$2\": ID");
        cut = Result().Replace(cut, "ID");
        cut = ListOfId().Replace(cut, "[ID]");
        cut = Record().Replace(cut, "(ID,)");
        cut = User().Replace(cut, "User: ID");
        cut = Port().Replace(cut, "port N");
        cut = Time().Replace(cut, "TIME");
        cut = Zone().Replace(cut, "\"tz\": ZONE");
        return Code().Replace(Blank().Replace(cut, " "), "CODE").Trim();
    }

    [GeneratedRegex("\"debug\": \"(?:[^\"\\\\]|\\\\.)*\"")]
    private static partial Regex Trace();

    /// <summary>Of a JSON-RPC call it is ours, and stays.</summary>
    [GeneratedRegex("\"(card|history|uid)\": [1-9]\\d*|(?<=[\\[{])\"(id)\": [1-9]\\d*")]
    private static partial Regex Id();

    [GeneratedRegex(@"\[\d+\](?=\}?$)|(?<=""ids"": )\[\d+\]")]
    private static partial Regex ListOfId();

    /// <summary>Of authenticate.</summary>
    [GeneratedRegex("(?<=\"result\": )\\d+(?=}$)")]
    private static partial Regex Result();

    [GeneratedRegex(@"\(\d+,\)")]
    private static partial Regex Record();

    [GeneratedRegex(@"User: \d+")]
    private static partial Regex User();

    [GeneratedRegex(@"port \d+")]
    private static partial Regex Port();

    [GeneratedRegex(@"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")]
    private static partial Regex Time();

    [GeneratedRegex("\"tz\": (?:\"[^\"]*\"|false)")]
    private static partial Regex Zone();

    /// <summary>As Odoo draws them.</summary>
    [GeneratedRegex("04[34][0-9a-f]-[0-9a-f]{4}-[0-9a-f]{4}")]
    private static partial Regex Code();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blank();
}
