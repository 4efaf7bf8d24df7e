namespace Cdc.Core.Configuration;

/// <summary>Takes what an options record finds wrong with its own values.</summary>
/// <param name="wrong">Called with the option's name, and what it must be.</param>
public sealed class OptionChecks(Action<string, string> wrong)
{
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongestInterval = TimeSpan.FromMinutes(5);

    /// <param name="rule">Goes on after the option's name: "must be …".</param>
    public void Require(bool holds, string option, string rule)
    {
        if (!holds)
            wrong(option, rule);
    }

    public void AtLeast(string option, long value, long least) => Require(value >= least, option, $"must be at least {least}");

    public void Interval(string option, TimeSpan value) => Interval(option, value, ShortestInterval, LongestInterval);

    /// <param name="why">Goes on after the bounds.</param>
    public void Interval(string option, TimeSpan value, TimeSpan shortest, TimeSpan longest, string why = "") =>
        Require(value >= shortest && value <= longest, option, $"must be between {shortest} and {longest}{why}");
}

/// <summary>The options of one section, which know what their values must satisfy.</summary>
public interface IOptionSection
{
    /// <summary>Checks each value and combinations of values, except connection strings: each command checks those that it needs.</summary>
    void Check(OptionChecks checks);
}
