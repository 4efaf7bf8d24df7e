using Cdc.Core.Failures;

namespace Cdc.Odoo.Failures;

/// <summary>What an answer of Odoo, or of something before it, means.</summary>
/// <param name="Code">A stable word, such as <c>odoo-key</c>.</param>
/// <param name="Message">What happened; after "Odoo", the call's name in between.</param>
internal sealed record OdooFailure(string Code, FailureClass Class, string Message, string Remedy)
{
    /// <summary>No answer says that nothing was done.</summary>
    public bool MayBeApplied { get; init; }

    public TimeSpan? RetryAfter { get; init; }

    public FailureKind Kind { get; init; } = FailureKind.Preflight;
}
