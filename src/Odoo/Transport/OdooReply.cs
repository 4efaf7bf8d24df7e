namespace Cdc.Odoo.Transport;

/// <summary>What came back over HTTP, whoever sent it.</summary>
internal sealed record OdooReply(int Status, string? MediaType, byte[] Body)
{
    public Uri? Asked { get; init; }

    /// <summary>Of a redirect, which is never followed: the key would go with it.</summary>
    public Uri? Location { get; init; }

    public TimeSpan? RetryAfter { get; init; }
}
