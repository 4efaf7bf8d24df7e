namespace Cdc.Bench.Measure;

/// <summary>What can be measured by itself.</summary>
[Flags]
internal enum Parts
{
    None = 0,
    Load = 1,
    Backlog = 2,
    Bulk = 4,
    Latency = 8,
    All = Load | Backlog | Bulk | Latency,

    /// <summary>Memory with millions of rows; by itself, since it takes as long as all others.</summary>
    Long = 16,

    /// <summary>The comparison; by itself, since it needs other rows.</summary>
    Reconcile = 32,

    /// <summary>Over Kafka: each stage of the log by itself.</summary>
    Stages = 64,

    /// <summary>What is measured over Kafka.</summary>
    Kafka = Backlog | Latency | Stages,

    /// <summary>The Api; by itself, since it needs no second replica.</summary>
    Api = 128,
}

/// <param name="Kafka">cdc runs over a Kafka broker, and not over its in-process log.</param>
/// <param name="Subscription">What native's CREATE SUBSCRIPTION is given besides, such as <c>binary = true</c>; empty: PostgreSQL's
/// defaults.</param>
internal sealed record MeasureOptions(Parts Parts, MeasureSizes Sizes, bool Kafka, string Subscription, FileInfo? Out);

/// <summary>How much is measured.</summary>
/// <param name="Cards">Cards at the beginning; a bulk transaction updates all of them.</param>
/// <param name="History">History rows at the beginning.</param>
/// <param name="BacklogTransactions">Of two rows each.</param>
/// <param name="Rounds">Native and cdc take turns so many times; figures are medians.</param>
/// <param name="ReconcileHistory">History rows of the comparison, on either side.</param>
/// <param name="ApiDuration">How long the Api is asked at a fixed rate.</param>
/// <param name="ApiMaximum">How long each time at full speed.</param>
/// <param name="ApiWarmUp">Requests before it is over are not counted: so long it takes until .NET has compiled again what is called
/// often.</param>
/// <param name="LatencyWarmUp">Transactions before it is over are not counted.</param>
internal sealed record MeasureSizes(
    int Cards,
    int History,
    int BacklogTransactions,
    int Rounds,
    int LatencyRounds,
    TimeSpan LatencyWarmUp,
    TimeSpan LatencyDuration,
    int ReconcileHistory,
    TimeSpan ApiDuration,
    TimeSpan ApiMaximum,
    TimeSpan ApiWarmUp
)
{
    public static readonly MeasureSizes Quick = new(
        200_000,
        500_000,
        200_000,
        2,
        1,
        TimeSpan.FromSeconds(3),
        TimeSpan.FromSeconds(8),
        1_000_000,
        TimeSpan.FromSeconds(15),
        TimeSpan.FromSeconds(4),
        TimeSpan.FromSeconds(30)
    );
    public static readonly MeasureSizes Full = new(
        300_000,
        1_000_000,
        250_000,
        3,
        3,
        TimeSpan.FromSeconds(5),
        TimeSpan.FromSeconds(30),
        5_000_000,
        TimeSpan.FromMinutes(5),
        TimeSpan.FromSeconds(10),
        TimeSpan.FromSeconds(30)
    );
}
