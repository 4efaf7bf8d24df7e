using Cdc.Core.Postgres.Values;

namespace Cdc.Core.Failures;

/// <summary>A failure that names what was being done, to what, and what to do next.</summary>
public class CdcException : Exception
{
    public CdcException(FailureKind kind, string message, string remedy, Exception? inner = null)
        : base(message, inner)
    {
        (Kind, Remedy) = (kind, remedy);
    }

    public FailureKind Kind { get; }

    /// <summary>What to do next: a command or SQL that can be pasted.</summary>
    public string Remedy { get; }
}

/// <summary>Continuity with the source is broken. Nothing goes on until the operator accepts it.</summary>
public sealed class DeclaredGapException(string kind, string message, string remedy)
    : CdcException(FailureKind.DeclaredGap, message, remedy)
{
    /// <summary>A stable word, such as <c>slot-missing</c>.</summary>
    public string GapKind { get; } = kind;
}

/// <summary>Another owner moved the checkpoint. Never retried with the same state.</summary>
public sealed class FencedException(string message)
    : CdcException(
        FailureKind.Fenced,
        message,
        "Nothing is lost: the other process goes on. Stop one of the two, or leave this one as standby."
    );
