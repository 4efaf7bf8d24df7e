using Cdc.Core.Failures;

namespace Cdc.Reconcile.Fences;

/// <summary>No comparison is possible now; nothing was compared, nothing was changed.</summary>
/// <param name="reason">One of <see cref="Core.Fences.FenceReasons"/>.</param>
public sealed class FenceException(string reason, FailureKind kind, string message, string remedy, Exception? inner = null)
    : CdcException(kind, message, remedy, inner)
{
    public string Reason { get; } = reason;
}
