namespace Cdc.Testing.Kafka;

/// <summary>What a broker of our own is started for.</summary>
public enum KafkaBrokerRole
{
    /// <summary>Up soon and small: code is compiled once, and quickly.</summary>
    Tested,

    /// <summary>As in production: what is called often is compiled again, and well.</summary>
    Measured,
}

/// <summary>What a broker of our own is started with.</summary>
public sealed record KafkaBrokerSettings
{
    public KafkaBrokerRole Role { get; init; }

    /// <summary>Null: the one that <see cref="KafkaHome.Find"/> finds.</summary>
    public KafkaHome? Home { get; init; }

    /// <summary>Of topics that are made without a number of their own.</summary>
    public int Partitions { get; init; } = 3;

    /// <summary>The broker's own properties: they win.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();
}
