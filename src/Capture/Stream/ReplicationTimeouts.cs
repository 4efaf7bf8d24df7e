namespace Cdc.Capture.Stream;

/// <summary>How long the two ends of a replication connection are patient with each other.</summary>
/// <param name="Sender">The server ends a connection that says nothing for so long. Set for our connection, whatever the server's
/// default.</param>
/// <param name="Receiver">We end a connection on which nothing arrives for so long; after half of it the server is asked for an
/// answer.</param>
/// <param name="StatusInterval">
/// A timer sends status, also while the stream is not read (back pressure), so it has to be a small part of <paramref name="Sender"/>.
/// </param>
internal sealed record ReplicationTimeouts(TimeSpan Sender, TimeSpan Receiver, TimeSpan StatusInterval)
{
    public static readonly ReplicationTimeouts Default = new(TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(5));
}
