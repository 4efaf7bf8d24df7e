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
public sealed record Gate(string Name, Verdict Verdict, string Says);

/// <summary>All gates before a step.</summary>
public sealed record GateReport(IReadOnlyList<Gate> Gates)
{
    public bool Passes => Gates.All(g => g.Verdict == Verdict.Pass);

    public IEnumerable<Gate> Missing => Gates.Where(g => g.Verdict != Verdict.Pass);

    /// <summary>Of what does not pass: something is wrong, or nothing is and something is not known.</summary>
    public FailureKind Kind => Gates.Any(g => g.Verdict == Verdict.Fail) ? FailureKind.Refused : FailureKind.Inconclusive;
}
