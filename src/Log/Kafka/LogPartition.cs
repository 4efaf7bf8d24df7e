using System.Globalization;

namespace Cdc.Log.Kafka;

/// <summary>One partition of one data topic.</summary>
/// <param name="Index">Place among all partitions of the log.</param>
public sealed record LogPartition(int Index, string Topic, int Number)
{
    /// <summary>Names its checkpoint in the engine, and its place in vectors.</summary>
    public string Name { get; } = NameOf(Topic, Number);

    public static string NameOf(string topic, int number) => string.Create(CultureInfo.InvariantCulture, $"{topic}/{number}");

    public override string ToString() => Name;
}
