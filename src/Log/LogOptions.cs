using Cdc.Core.Configuration;

namespace Cdc.Log;

public enum ChangeLogKind
{
    InProcess,

    /// <summary>Topics of a Kafka cluster (section <c>Kafka</c>).</summary>
    Kafka,
}

/// <summary>The change log (section <c>Log</c>).</summary>
public sealed record LogOptions : IOptionSection
{
    public ChangeLogKind Kind { get; init; } = ChangeLogKind.InProcess;

    /// <summary>Bytes that may wait between capture and apply; over Kafka, that may be on their way to the brokers.</summary>
    public long MaxBytes { get; init; } = 16 << 20;

    public void Check(OptionChecks checks)
    {
        checks.AtLeast(nameof(MaxBytes), MaxBytes, 65_536);
    }
}
