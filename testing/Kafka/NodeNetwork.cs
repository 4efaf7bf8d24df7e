using System.Globalization;
using Cdc.Testing.Processes;

namespace Cdc.Testing.Kafka;

/// <summary>
/// A network of the tests' own: each node has a namespace with an address, all of them and this machine are on one bridge. A node that is
/// cut off hears nothing and is not heard, and nobody is told: no connection is refused or closed.
/// </summary>
public sealed class NodeNetwork : IAsyncDisposable
{
    private const string NamePrefix = "cdc";

    private const string Namespaces = "/run/netns";

    private static int _networks;

    private readonly string _name;
    private readonly int _subnet;
    private readonly int _nodes;

    private NodeNetwork(string name, int subnet, int nodes) => (_name, _subnet, _nodes) = (name, subnet, nodes);

    /// <exception cref="InvalidOperationException">This user may not make networks.</exception>
    public static async Task<NodeNetwork> CreateAsync(int nodes, CancellationToken ct)
    {
        await RemoveStaleAsync(ct);
        // Interfaces have names of at most 15 characters.
        var name = string.Create(
            CultureInfo.InvariantCulture,
            $"{NamePrefix}{Environment.ProcessId}n{Interlocked.Increment(ref _networks)}"
        );
        var network = new NodeNetwork(name, await FreeSubnetAsync(ct), nodes);
        try
        {
            await IpAsync(ct, "link", "add", name, "type", "bridge");
            await IpAsync(ct, "address", "add", network.Address(254) + "/24", "dev", name);
            await IpAsync(ct, "link", "set", name, "up");
            for (var id = 1; id <= nodes; id++)
                await network.AddAsync(id, ct);
            return network;
        }
        catch
        {
            await network.DisposeAsync();
            throw;
        }
    }

    /// <param name="id">From 1 on.</param>
    public string AddressOf(int id) => Address(id);

    /// <summary>What stands before a command that is to run there.</summary>
    internal string[] Enter(int id) => ["nsenter", $"--net={Namespaces}/{NamespaceOf(id)}"];

    /// <summary>Until <see cref="JoinAsync"/>.</summary>
    public Task CutAsync(int id, CancellationToken ct) => IpAsync(ct, "link", "set", LinkOf(id), "down");

    public Task JoinAsync(int id, CancellationToken ct) => IpAsync(ct, "link", "set", LinkOf(id), "up");

    public ValueTask DisposeAsync() => new(RemoveAsync(_name, CancellationToken.None));

    private string Address(int host) => string.Create(CultureInfo.InvariantCulture, $"10.231.{_subnet}.{host}");

    private string NamespaceOf(int id) => string.Create(CultureInfo.InvariantCulture, $"{_name}-{id}");

    private string LinkOf(int id) => string.Create(CultureInfo.InvariantCulture, $"{_name}v{id}");

    private async Task AddAsync(int id, CancellationToken ct)
    {
        await IpAsync(ct, "netns", "add", NamespaceOf(id));
        await IpAsync(ct, "link", "add", LinkOf(id), "type", "veth", "peer", "name", "eth0", "netns", NamespaceOf(id));
        await IpAsync(ct, "link", "set", LinkOf(id), "master", _name, "up");
        await IpAsync(ct, "-n", NamespaceOf(id), "address", "add", Address(id) + "/24", "dev", "eth0");
        await IpAsync(ct, "-n", NamespaceOf(id), "link", "set", "eth0", "up");
        await IpAsync(ct, "-n", NamespaceOf(id), "link", "set", "lo", "up");
    }

    private static async Task<int> FreeSubnetAsync(CancellationToken ct)
    {
        var taken = await IpAsync(ct, "-4", "-o", "address", "show");
        return Enumerable.Range(1, 254).First(n => !taken.Contains($"10.231.{n}.", StringComparison.Ordinal));
    }

    /// <summary>Of runs that were killed.</summary>
    private static async Task RemoveStaleAsync(CancellationToken ct)
    {
        var bridges = (await IpAsync(ct, "-o", "link", "show", "type", "bridge")).Split('\n');
        foreach (var name in bridges.Select(line => line.Split(": ").ElementAtOrDefault(1) ?? ""))
            if (
                name.StartsWith(NamePrefix, StringComparison.Ordinal)
                && int.TryParse(name[NamePrefix.Length..].Split('n')[0], CultureInfo.InvariantCulture, out var owner)
                && !Directory.Exists($"/proc/{owner}")
            )
                await RemoveAsync(name, ct);
    }

    private static async Task RemoveAsync(string name, CancellationToken ct)
    {
        foreach (var space in Directory.Exists(Namespaces) ? Directory.GetFiles(Namespaces, $"{name}-*") : [])
            await IpAsync(ct, "netns", "delete", Path.GetFileName(space));
        if (Directory.Exists($"/sys/class/net/{name}"))
            await IpAsync(ct, "link", "delete", name);
    }

    private static Task<string> IpAsync(CancellationToken ct, params string[] arguments) => Tool.RunAsync(["ip", .. arguments], ct);
}
