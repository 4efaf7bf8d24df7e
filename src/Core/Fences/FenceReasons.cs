namespace Cdc.Core.Fences;

/// <summary>
/// Why a fence broke, or what it waits for. Kept in the engine, so that scripts may read these words: one is never renamed.
/// </summary>
public static class FenceReasons
{
    /// <summary>
    /// Not broken: transactions run that began before this session of the pipeline, and may have been streamed before it.
    /// </summary>
    public const string Waits = "waits";

    /// <summary>The pipeline's session that armed it ended.</summary>
    public const string Session = "session";

    /// <summary>A transaction of too many keys to remember was in flight.</summary>
    public const string TooLarge = "too-large";

    /// <summary>The engine's snapshot was not open in time: Apply holds no longer.</summary>
    public const string NotOpened = "not-opened";

    /// <summary>It did not reach its next state within the requester's time-out.</summary>
    public const string Expired = "expired";

    /// <summary>The requester gave it up.</summary>
    public const string GivenUp = "given-up";

    /// <summary>The entity's table cannot be read, or its rows are not applied.</summary>
    public const string Stopped = "stopped";

    /// <summary>The running pipeline has no such entity.</summary>
    public const string UnknownEntity = "unknown-entity";

    /// <summary>The source's table is another one, or rewritten, and the engine has not noticed yet.</summary>
    public const string Rewritten = "rewritten";

    /// <summary>A new generation begins.</summary>
    public const string Generation = "generation";

    /// <summary>Another session holds a lock on the source's table that blocks reads.</summary>
    public const string Locked = "locked";

    /// <summary>No process reads the slot.</summary>
    public const string NotRunning = "not-running";

    /// <summary>Writes were to be frozen, and keys were in flight.</summary>
    public const string NotFrozen = "not-frozen";
}
