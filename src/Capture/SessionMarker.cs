using System.Buffers.Binary;

namespace Cdc.Capture;

/// <summary>
/// Content of the markers of chunks and fences: which session wrote it, and the number of the ticket that it brings back.
/// </summary>
internal sealed class SessionMarker
{
    private const int Length = 24;

    private readonly Guid _session = Guid.NewGuid();

    public byte[] Of(long ticket)
    {
        var content = new byte[Length];
        _session.TryWriteBytes(content);
        BinaryPrimitives.WriteInt64BigEndian(content.AsSpan(16), ticket);
        return content;
    }

    /// <summary>Null: another session's, which died with its tickets.</summary>
    public long? TicketOf(ReadOnlySpan<byte> content) =>
        content.Length == Length && new Guid(content[..16]) == _session ? BinaryPrimitives.ReadInt64BigEndian(content[16..]) : null;
}
