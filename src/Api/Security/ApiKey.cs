using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Cdc.Api.Security;

/// <summary>The text of a key: <c>cdc_ID_SECRET</c>. Only the secret's hash is ever kept.</summary>
internal readonly record struct ApiKeyText(string Id, string Secret)
{
    private const string Prefix = "cdc";
    private const string IdCharacters = "abcdefghijklmnopqrstuvwxyz0123456789";

    public static ApiKeyText Create() =>
        new(RandomNumberGenerator.GetString(IdCharacters, 12), Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32)));

    public byte[] Hash() => SHA256.HashData(Encoding.UTF8.GetBytes(Secret));

    /// <summary>The secret may hold underscores: only the first two part.</summary>
    public static ApiKeyText? Parse(string? text) =>
        text is { Length: < 128 } && text.Split('_', 3) is [Prefix, { Length: 12 } id, { Length: > 0 } secret]
            ? new ApiKeyText(id, secret)
            : null;

    public override string ToString() => $"{Prefix}_{Id}_{Secret}";
}

/// <summary>A key as it is kept.</summary>
/// <param name="RequestsPerSecond">Null: what the Api's setting says.</param>
public sealed record ApiKey(
    string Id,
    string Name,
    IReadOnlyList<string> Scopes,
    int? RequestsPerSecond,
    DateTimeOffset CreatedAt,
    string CreatedBy,
    DateTimeOffset? RevokedAt
)
{
    internal byte[] SecretHash { get; init; } = [];
}
