namespace Cdc.Core.Failures;

/// <summary>What a failure means for the operator. The number is the exit code.</summary>
public enum FailureKind
{
    /// <summary>A defect of cdc.</summary>
    Unexpected = 1,

    /// <summary>The command line is wrong.</summary>
    Usage = 2,

    /// <summary>cdc.json, an environment variable or the entities declaration is wrong.</summary>
    Configuration = 3,

    /// <summary>Source or engine lack something that preflight names, with the SQL that adds it.</summary>
    Preflight = 4,

    /// <summary>A break in continuity: the slot, the source or the engine is not the one that was followed so far.</summary>
    DeclaredGap = 5,

    /// <summary>The engine's schema is not at the version this program needs.</summary>
    Migration = 6,

    /// <summary>Source or engine cannot be reached (commands that do not wait).</summary>
    Unavailable = 7,

    /// <summary>Another process owns what this one was writing.</summary>
    Fenced = 8,

    /// <summary>The operator said no, or a confirmation was needed and there was no terminal to ask on.</summary>
    Refused = 9,

    /// <summary>Source and engine differ.</summary>
    NotEqual = 10,

    /// <summary>Nothing differs, but not everything could be compared.</summary>
    Inconclusive = 11,
}
