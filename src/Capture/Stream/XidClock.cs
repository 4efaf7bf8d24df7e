namespace Cdc.Capture.Stream;

/// <summary>
/// Extends the stream's 32-bit transaction ids to 64 bits by the nearest value to a reference. Right as long as the reference is less than
/// 2^31 transactions away, which PostgreSQL's own wraparound limit guarantees for a reference that heartbeats refresh.
/// </summary>
internal sealed class XidClock(ulong reference)
{
    private ulong _reference = reference;

    /// <param name="xid">A recent 64-bit transaction id, such as a snapshot's xmax. Any thread.</param>
    public void Observe(ulong xid) => Volatile.Write(ref _reference, xid);

    public ulong Extend(uint xid)
    {
        var reference = Volatile.Read(ref _reference);
        var distance = unchecked((int)(xid - (uint)reference));
        return unchecked(reference + (ulong)distance);
    }
}
