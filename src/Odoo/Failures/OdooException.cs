using Cdc.Core.Failures;
using Cdc.Odoo.Calls;

namespace Cdc.Odoo.Failures;

/// <summary>A call of Odoo that failed.</summary>
public sealed class OdooException : CdcException
{
    internal OdooException(OdooFailure failure, CallFacts call, IReadOnlyList<LoadMessage>? rows = null, Exception? inner = null)
        : base(KindOf(ClassOf(failure, call), failure), $"Odoo ({call.Name}) {failure.Message}", RemedyOf(failure, call), inner)
    {
        Code = failure.Code;
        Class = ClassOf(failure, call);
        MayBeApplied = failure.MayBeApplied || call.MayBeApplied;
        RetryAfter = failure.RetryAfter;
        Rows = rows ?? [];
    }

    /// <summary>A stable word, such as <c>odoo-key</c>.</summary>
    public string Code { get; }

    public FailureClass Class { get; }

    /// <summary>It, or an earlier sending of it, may have been done nevertheless.</summary>
    public bool MayBeApplied { get; }

    /// <summary>Not before, as the server wishes.</summary>
    public TimeSpan? RetryAfter { get; }

    /// <summary>Of <c>load</c>: which rows it refused.</summary>
    public IReadOnlyList<LoadMessage> Rows { get; }

    /// <summary>Sent again where that is harmless; else a person, or the caller, must look.</summary>
    private static FailureClass ClassOf(OdooFailure failure, CallFacts call) =>
        failure.Class == FailureClass.Transient && (failure.MayBeApplied || call.MayBeApplied) && !call.MayBeRepeated
            ? FailureClass.InDoubt
            : failure.Class;

    private static FailureKind KindOf(FailureClass @class, OdooFailure failure) =>
        @class is FailureClass.Transient or FailureClass.InDoubt ? FailureKind.Unavailable : failure.Kind;

    private static string RemedyOf(OdooFailure failure, CallFacts call) =>
        ClassOf(failure, call) == FailureClass.InDoubt
            ? $"Look in Odoo whether it was done, before it is sent again. {failure.Remedy}"
            : failure.Remedy;
}
