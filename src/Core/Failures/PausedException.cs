using System.Globalization;

namespace Cdc.Core.Failures;

/// <summary>Odoo's database is let go of for a while (<c>cdc pause --release</c>): nobody has a session there.</summary>
/// <param name="Remaining">By the engine's clock, when it was asked.</param>
/// <param name="By">Who asked for it.</param>
public sealed record SourcePause(DateTimeOffset Until, TimeSpan Remaining, string By)
{
    public string UntilText => Until.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}

/// <summary>No failure: the source is let go of, and is taken up again by itself.</summary>
public sealed class PausedException(SourcePause pause)
    : CdcException(
        FailureKind.Unavailable,
        $"Odoo's database is let go of until {pause.UntilText} ('cdc pause --release' by {pause.By}).",
        "cdc resume, or wait: it is taken up again by itself."
    )
{
    public SourcePause Pause { get; } = pause;
}
