using Cdc.Core.Configuration;

namespace Cdc.Log;

public enum ChangeLogKind
{
    InProcess,

    /// <summary>Topics of a Kafka cluster (section <c>Kafka</c>).</summary>
    Kafka,
}

/// <summary>How the program writes its own messages to stderr.</summary>
public enum LogFormat
{
    /// <summary>Text on a terminal, JSON lines elsewhere.</summary>
    Auto,
    Text,
    Json,
}

/// <summary>The change log, and the form of the program's own log (section <c>Log</c>).</summary>
public sealed record LogOptions : IOptionSection
{
    public ChangeLogKind Kind { get; init; } = ChangeLogKind.InProcess;

    /// <summary>Bytes that may wait between capture and apply; over Kafka, that may be on their way to the brokers.</summary>
    public long MaxBytes { get; init; } = 16 << 20;

    public LogFormat Format { get; init; } = LogFormat.Auto;

    public void Check(OptionChecks checks)
    {
        checks.AtLeast(nameof(MaxBytes), MaxBytes, 65_536);
    }
}
