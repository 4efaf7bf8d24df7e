using Cdc.Testing.Processes;

namespace Cdc.Testing.Postgres;

/// <summary>
/// A cluster's own folder and the user that owns it. PostgreSQL refuses to run as root, so root's clusters belong to <c>postgres</c>.
/// </summary>
internal sealed class PgFolder(string path)
{
    private const string ServerUser = "postgres";
    private const string MemoryFolder = "/dev/shm";

    /// <summary>More than all servers of a test run need together.</summary>
    private const long EnoughMemory = 8L << 30;
    private static readonly bool IsRoot = Environment.IsPrivilegedProcess;

    public string Path { get; } = path;
    public string Data => System.IO.Path.Combine(Path, "data");
    public string Log => System.IO.Path.Combine(Path, "server.log");

    public static async Task<PgFolder> CreateAsync(PgClusterOptions options, CancellationToken ct)
    {
        var parent = options.ParentFolder ?? (!options.Fsync && HasMemory() ? MemoryFolder : System.IO.Path.GetTempPath());
        var path = System.IO.Path.Combine(parent, $"cdc-pg-{options.Name}-{Guid.NewGuid():N}"[..^20]);
        string[] owner = IsRoot ? ["-o", ServerUser] : [];
        await Tool.RunAsync(["install", "-d", "-m", "700", .. owner, path], ct);
        return new PgFolder(path);
    }

    /// <summary>The command as the user that owns the folder. setpriv becomes the command; runuser would stay as its parent.</summary>
    public static string[] AsOwner(params string[] command) =>
        IsRoot ? ["setpriv", $"--reuid={ServerUser}", $"--regid={ServerUser}", "--init-groups", "--", .. command] : command;

    public string LogTail()
    {
        if (!File.Exists(Log))
            return "(no server log)";
        using var reader = new StreamReader(new FileStream(Log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return string.Join(Environment.NewLine, reader.ReadToEnd().Split('\n').TakeLast(25));
    }

    /// <summary>
    /// Where nothing need outlive the machine, files need no disk: hundreds of databases are made and dropped, and a file system that keeps
    /// a journal of it takes longer than PostgreSQL. Half of the machine's memory stays free of it.
    /// </summary>
    private static bool HasMemory() =>
        Directory.Exists(MemoryFolder)
        && new DriveInfo(MemoryFolder).AvailableFreeSpace >= EnoughMemory
        && GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >= 2 * EnoughMemory;

    public void Delete()
    {
        if (Directory.Exists(Path))
            Directory.Delete(Path, recursive: true);
    }
}
