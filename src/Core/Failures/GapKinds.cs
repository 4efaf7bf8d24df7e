namespace Cdc.Core.Failures;

/// <summary>What can break continuity with the source. Scripts and alerts read these words: one is never renamed.</summary>
public static class GapKinds
{
    public const string SlotMissing = "slot-missing";

    /// <summary>The server removed WAL that the slot needs.</summary>
    public const string SlotLost = "slot-lost";

    /// <summary>Confirmed beyond what the engine wrote: recreated, advanced, or the engine comes from a backup.</summary>
    public const string SlotAdvanced = "slot-advanced";

    /// <summary>The configuration names another slot than the one that was followed.</summary>
    public const string SlotRenamed = "slot-renamed";

    /// <summary>
    /// A slot of that name exists that an engine which follows nothing yet has never used. It may feed another engine: this kind alone is
    /// never accepted by a setting.
    /// </summary>
    public const string SlotForeign = "slot-foreign";

    /// <summary>Another system identifier or database.</summary>
    public const string SourceChanged = "source-changed";

    /// <summary>A timeline that does not contain everything that is applied.</summary>
    public const string TimelineChanged = "timeline-changed";

    /// <summary>The source's WAL ends below what is applied.</summary>
    public const string SourceBehind = "source-behind";

    /// <summary>The last applied transaction is another one in the source now.</summary>
    public const string SourceRewound = "source-rewound";
    public const string PublicationMissing = "publication-missing";

    /// <summary>The configuration names another publication than the one that was followed, and there is none of that name.</summary>
    public const string PublicationRenamed = "publication-renamed";

    /// <summary>The publication was dropped and created again: what was changed between cannot be decoded.</summary>
    public const string PublicationRecreated = "publication-recreated";

    /// <summary>The publication leaves out some operations.</summary>
    public const string PublicationPartial = "publication-partial";

    /// <summary>Records that were not applied are gone from the Kafka log.</summary>
    public const string LogLost = "log-lost";

    /// <summary>A partition of the Kafka log lacks records of a capture session.</summary>
    public const string LogGap = "log-gap";

    /// <summary>The Kafka log ends before what its brokers acknowledged.</summary>
    public const string LogBehind = "log-behind";

    /// <summary>A record of the Kafka log cannot be read.</summary>
    public const string LogUnreadable = "log-unreadable";

    /// <summary>The Kafka log has a newer generation than the engine, which was restored from a backup.</summary>
    public const string EngineBehind = "engine-behind";
}
