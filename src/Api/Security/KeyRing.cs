using System.Security.Cryptography;
using Cdc.Api.Engine;
using Cdc.Api.Live;
using Npgsql;

namespace Cdc.Api.Security;

/// <summary>
/// The keys, in memory while changes of them are announced to us; otherwise read for every request, because a revoked key must be refused.
/// While they cannot be read, those that were read last count: the person on call has to see the pipeline just then.
/// </summary>
internal sealed class KeyRing(EngineReads engine, ApiOptions options, TimeProvider time) : INotifiedTable
{
    /// <summary>An engine that was not there just now is not waited for by every request.</summary>
    private static readonly TimeSpan LeftAlone = TimeSpan.FromSeconds(1);

    /// <summary>Compared where there is no such key, so that the answer takes as long.</summary>
    private static readonly byte[] NoHash = new byte[32];

    private volatile Dictionary<string, ApiKey>? _keys;

    /// <summary>Every read writes it: a slow one may put older keys here, which only count while the engine is away.</summary>
    private volatile Dictionary<string, ApiKey>? _lastKnown;
    private volatile bool _stale;
    private volatile bool _away;
    private long _awaySince;

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

    /// <returns>The key, if it is one that may be used; and whether any was ever made, null where that was never known.</returns>
    public async ValueTask<(ApiKey? Key, bool? AnyMade)> FindAsync(string? text, CancellationToken ct)
    {
        if ((_keys ?? await KnownAsync(ct)) is not { } keys)
            return (null, null);
        var given = ApiKeyText.Parse(text);
        var key = given is { } some ? keys.GetValueOrDefault(some.Id) : null;
        var equal = CryptographicOperations.FixedTimeEquals(given?.Hash() ?? NoHash, key?.SecretHash ?? NoHash);
        return (equal && key is { RevokedAt: null } ? key : null, keys.Count > 0);
    }

    /// <summary>Whether a caller that was accepted before still would be; while no changes of keys arrive, it stays accepted.</summary>
    public bool MayStay(Caller caller) =>
        _keys is not { } keys || (caller.Key is { } key ? keys.GetValueOrDefault(key.Id) is { RevokedAt: null } : keys.Count == 0);

    private async Task<Dictionary<string, ApiKey>?> KnownAsync(CancellationToken ct)
    {
        if (_away && time.GetElapsedTime(Volatile.Read(ref _awaySince)) < LeftAlone)
            return _lastKnown;
        try
        {
            // A server that hangs is cancelled first, which takes as long again.
            var read = await engine.UseAsync(c => ReadAsync(c, ct), ct).WaitAsync(options.Timeout, ct);
            _away = false;
            return read;
        }
        catch (Exception e) when (e is EngineUnavailableException or TimeoutException)
        {
            Volatile.Write(ref _awaySince, time.GetTimestamp());
            _away = true;
            return _lastKnown;
        }
    }

    private async Task<Dictionary<string, ApiKey>> ReadAsync(NpgsqlConnection connection, CancellationToken ct) =>
        _lastKnown = (await KeyTable.AllAsync(connection, ct)).ToDictionary(k => k.Id);
}
