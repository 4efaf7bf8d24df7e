using System.Text.Json;
using Cdc.Core.Changes;

namespace Cdc.Log.Kafka;

/// <summary>What the log remembers of its writers. The newest record of the newest session in the control topic counts.</summary>
/// <param name="Session">Number of the newest capture session.</param>
/// <param name="Generation">Of its records.</param>
/// <param name="Written">Everything that was committed in the source below it is in the log: written here before it is confirmed to the
/// slot.</param>
/// <param name="LastXid">Of the last transaction that is whole in the log; 0 if there is none in this generation.</param>
/// <param name="LastCommitMicros">Microseconds since 2000-01-01 UTC.</param>
/// <param name="Vector">Acknowledged up to here: a log that ends before it has lost records.</param>
public sealed record ControlRecord(
    long Session,
    int Generation,
    Lsn Written,
    ulong LastXid,
    Lsn LastCommitLsn,
    long LastCommitMicros,
    IReadOnlyDictionary<string, long> Vector
)
{
    private static readonly IReadOnlySet<string> NoTopics = new HashSet<string>();

    public static readonly ControlRecord None = new(0, 0, Lsn.Zero, 0, Lsn.Zero, 0, new Dictionary<string, long>());

    /// <summary>
    /// Topics in which a key's partition comes of its value alone (<see cref="KeyPlacement"/>). Those that versions before wrote name none.
    /// </summary>
    public IReadOnlySet<string> ByValue { get; init; } = NoTopics;

    private sealed record Wire(
        long Session,
        int Generation,
        string Written,
        ulong LastXid,
        string LastCommitLsn,
        long LastCommitMicros,
        Dictionary<string, long> Vector,
        IReadOnlyList<string>? ByValue
    );

    public byte[] ToJson() =>
        JsonSerializer.SerializeToUtf8Bytes(
            new Wire(
                Session,
                Generation,
                Written.ToString(),
                LastXid,
                LastCommitLsn.ToString(),
                LastCommitMicros,
                new(Vector),
                [.. ByValue.Order(StringComparer.Ordinal)]
            ),
            JsonSerializerOptions.Web
        );

    /// <returns>Null if it is no such record.</returns>
    public static ControlRecord? FromJson(ReadOnlySpan<byte> json)
    {
        try
        {
            return
                JsonSerializer.Deserialize<Wire>(json, JsonSerializerOptions.Web) is { Vector: not null } wire
                && Lsn.TryParse(wire.Written ?? "", out var written)
                && Lsn.TryParse(wire.LastCommitLsn ?? "", out var last)
                ? new ControlRecord(wire.Session, wire.Generation, written, wire.LastXid, last, wire.LastCommitMicros, wire.Vector)
                {
                    ByValue = wire.ByValue is { Count: > 0 } topics ? topics.ToHashSet() : NoTopics,
                }
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
