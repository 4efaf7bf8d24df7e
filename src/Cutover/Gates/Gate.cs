using System.Globalization;
using Cdc.Core.Failures;

namespace Cdc.Cutover.Gates;

/// <summary>What a gate says. Only pass lets anything through.</summary>
public enum Verdict
{
    Pass,
    Fail,

    /// <summary>There is not enough to say.</summary>
    Inconclusive,
}

/// <param name="Name">A stable word.</param>
/// <param name="Says">What was found, and what is missing.</param>
public sealed record Gate(string Name, Verdict Verdict, string Says)
{
    /// <param name="value">Null: not known, and no pass.</param>
    /// <param name="what">What is counted.</param>
    internal static Gate AtMost(string name, double? value, double most, string what, string unknown = "not known") =>
        value is not { } known ? new(name, Verdict.Inconclusive, unknown)
        : known <= most ? new(name, Verdict.Pass, $"{Text(known)} {what}, at most {Text(most)}")
        : new(name, Verdict.Fail, $"{Text(known)} {what}, at most {Text(most)}");

    internal static string Text(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);
}

/// <summary>All gates before a step.</summary>
public sealed record GateReport(IReadOnlyList<Gate> Gates)
{
    public bool Passes => Gates.All(g => g.Verdict == Verdict.Pass);

    public IEnumerable<Gate> Missing => Gates.Where(g => g.Verdict != Verdict.Pass);

    /// <summary>Of what does not pass: something is wrong, or nothing is and something is not known.</summary>
    public FailureKind Kind => Gates.Any(g => g.Verdict == Verdict.Fail) ? FailureKind.Refused : FailureKind.Inconclusive;
}
