namespace Cdc.Testing.Kafka;

/// <summary>What a broker of our own is started for.</summary>
public enum KafkaBrokerRole
{
    /// <summary>Up soon and small: code is compiled once, and quickly.</summary>
    Tested,

    /// <summary>As in production: what is called often is compiled again, and well.</summary>
    Measured,
}
