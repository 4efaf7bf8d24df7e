using Npgsql;

namespace Cdc.Api.Live;

/// <summary>
/// A small table that is kept in memory: announced changes are read again at once. While nothing can be heard it says so, and must not be
/// trusted for what could have been taken back meanwhile.
/// </summary>
internal interface IListened
{
    string Channel { get; }

    /// <summary>A change was announced and not read yet.</summary>
    bool IsStale { get; }

    /// <summary>A change was announced.</summary>
    void Heard();

    /// <summary>Nothing is heard any more.</summary>
    void Lost();

    Task ReloadAsync(NpgsqlConnection connection, CancellationToken ct);
}
