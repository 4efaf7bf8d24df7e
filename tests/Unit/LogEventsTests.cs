using System.Text.RegularExpressions;
using Xunit;

namespace Cdc.Tests.Unit;

/// <summary>Collectors of logs tell events apart by their numbers.</summary>
public sealed partial class LogEventsTests
{
    [Fact]
    public void Each_event_of_the_log_has_a_number_of_its_own()
    {
        var events = SourceTree
            .Files("src", "*.cs")
            .SelectMany(file => Event().Matches(File.ReadAllText(file)).Select(m => (Id: m.Groups[1].Value, File: Path.GetFileName(file))))
            .ToList();
        Assert.True(events.Count > 50, $"Only {events.Count} events under src.");
        Assert.All(events, e => Assert.True(e.Id.Length > 0, $"An event in {e.File} does not begin with its number."));
        Assert.Empty(
            events
                .GroupBy(e => e.Id)
                .Where(same => same.Count() > 1)
                .Select(same => $"{same.Key}: {string.Join(", ", same.Select(e => e.File))}")
        );
    }

    [GeneratedRegex(@"\[LoggerMessage\(\s*([0-9]*)")]
    private static partial Regex Event();
}
