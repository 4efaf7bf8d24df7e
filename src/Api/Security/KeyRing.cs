using System.Security.Cryptography;
using Cdc.Api.Engine;
using Cdc.Api.Live;
using Npgsql;

namespace Cdc.Api.Security;

/// <summary>
/// The keys, in memory while changes of them are announced to us; otherwise read for every request, because a revoked key must be refused.
/// </summary>
internal sealed class KeyRing(EngineReads engine) : INotifiedTable
{
    /// <summary>Compared where there is no such key, so that the answer takes as long.</summary>
    private static readonly byte[] NoHash = new byte[32];

    private volatile Dictionary<string, ApiKey>? _keys;
    private volatile bool _stale;

    public string Channel => KeyTable.Channel;

    public bool IsStale => _stale;

    public void OnChange() => (_keys, _stale) = (null, true);

    public void OnDisconnect() => _keys = null;

    public async Task ReloadAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        _stale = false;
        var keys = await ReadAsync(connection, ct);
        // A change that was announced during the read may not be in it.
        if (!_stale)
            _keys = keys;
    }

    /// <returns>The key, if it is one that may be used; and whether any was ever made.</returns>
    /// <exception cref="EngineUnavailableException">Keys cannot be read.</exception>
    public async ValueTask<(ApiKey? Key, bool AnyMade)> FindAsync(string? text, CancellationToken ct)
    {
        var keys = _keys ?? await engine.UseAsync(c => ReadAsync(c, ct), ct);
        var given = ApiKeyText.Parse(text);
        var key = given is { } some ? keys.GetValueOrDefault(some.Id) : null;
        var equal = CryptographicOperations.FixedTimeEquals(given?.Hash() ?? NoHash, key?.SecretHash ?? NoHash);
        return (equal && key is { RevokedAt: null } ? key : null, keys.Count > 0);
    }

    /// <summary>Whether a caller that was accepted before still would be; while changes of keys are not heard, it stays accepted.</summary>
    public bool MayStay(Caller caller) =>
        _keys is not { } keys || (caller.Key is { } key ? keys.GetValueOrDefault(key.Id) is { RevokedAt: null } : keys.Count == 0);

    private static async Task<Dictionary<string, ApiKey>> ReadAsync(NpgsqlConnection connection, CancellationToken ct) =>
        (await KeyTable.ListAsync(connection, ct)).ToDictionary(k => k.Id);
}
