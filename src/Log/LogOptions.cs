namespace Cdc.Log;

public enum ChangeLogKind
{
    InProcess,
}

/// <summary>The change log (section <c>Log</c>).</summary>
public sealed record LogOptions
{
    public ChangeLogKind Kind { get; init; } = ChangeLogKind.InProcess;
    /// <summary>Bytes that may wait between capture and apply.</summary>
    public long MaxBytes { get; init; } = 16 << 20;
}
