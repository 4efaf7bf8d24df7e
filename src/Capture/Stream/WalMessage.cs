using Cdc.Core.Changes;

namespace Cdc.Capture.Stream;

/// <summary>One message of the decoder, as the walsender framed it.</summary>
/// <param name="WalStart">LSN that the walsender stamps on the message: the change's own, or the end of a commit record. Not an order of
/// changes.</param>
/// <param name="Payload">pgoutput bytes. Valid until the next read.</param>
internal readonly record struct WalMessage(Lsn WalStart, ReadOnlyMemory<byte> Payload);
