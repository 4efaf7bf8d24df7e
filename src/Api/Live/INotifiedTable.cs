using Npgsql;

namespace Cdc.Api.Live;

/// <summary>
/// A small table that is kept in memory: announced changes are read again at once. While the listener is not connected, the table knows it,
/// and does not trust values that may have been revoked since.
/// </summary>
internal interface INotifiedTable
{
    string Channel { get; }

    /// <summary>A change was announced and not read yet.</summary>
    bool IsStale { get; }

    /// <summary>A change was announced.</summary>
    void OnChange();

    /// <summary>Changes do not arrive any more.</summary>
    void OnDisconnect();

    Task ReloadAsync(NpgsqlConnection connection, CancellationToken ct);
}
