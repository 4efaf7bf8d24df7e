namespace Cdc.Testing.Postgres;

public sealed record PgClusterOptions
{
    /// <summary>Part of the folder's name, such as <c>source</c>.</summary>
    public string Name { get; init; } = "cluster";

    /// <summary>Lines of postgresql.conf that come last and so win, such as <c>max_slot_wal_keep_size = 64MB</c>.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();
    public string SharedBuffers { get; init; } = "256MB";

    /// <summary>
    /// Whether what is flushed outlives the machine. A server that is killed leaves what it wrote in the kernel's memory, so crash tests
    /// need no more than that: when WAL is written, and what an asynchronous commit loses, is the same. What is measured needs it.
    /// </summary>
    public bool Fsync { get; init; }

    /// <summary>Folder of initdb and postgres; null: that of <see cref="Version"/>.</summary>
    public string? Binaries { get; init; }

    /// <summary>Major version; null: the machine's.</summary>
    public int? Version { get; init; }

    /// <summary>
    /// Folder under which the cluster's own folder is made; null: memory where there is enough of it and nothing is flushed, else the
    /// system's temporary folder.
    /// </summary>
    public string? ParentFolder { get; init; }

    /// <summary>Until the server answers, crash recovery included.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(90);
}
