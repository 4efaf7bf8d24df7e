using System.Collections.Concurrent;
using System.Globalization;
using Cdc.Testing.Postgres;
using Cdc.Testing.Processes;

namespace Cdc.Testing.Kafka;

/// <summary>
/// A real Kafka broker in a temporary folder, on free ports of 127.0.0.1: Kafka 4 (KRaft) or 0.9 with its ZooKeeper, by the jars that
/// there are. It dies with this process and the folder goes with it.
/// </summary>
public abstract class KafkaBroker : IAsyncDisposable
{
    private static readonly ConcurrentDictionary<string, int> Starts = new();

    private protected KafkaBroker(KafkaHome home, KafkaBrokerSettings settings) => (Home, Settings) = (home, settings);

    public KafkaHome Home { get; }

    public int Port { get; } = FreePort.Next();

    public string BootstrapServers => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    /// <summary>Where those who administer it come in, whatever rights the others have.</summary>
    public virtual string AdminServers => BootstrapServers;

    /// <summary>Settings that its clients need.</summary>
    public abstract IReadOnlyDictionary<string, string> ClientSettings { get; }

    private protected KafkaBrokerSettings Settings { get; }

    private protected string Folder { get; } = Directory.CreateTempSubdirectory("cdc-kafka-").FullName;

    /// <summary>Which brokers this process has started, for people: "3 of Kafka 4.4.0". Nothing: none.</summary>
    public static string Started => string.Join(", ", Starts.OrderBy(s => s.Key).Select(s => $"{s.Value} of Kafka {s.Key}"));

    /// <exception cref="MissingPrerequisiteException">Kafka or Java is missing: a skip, with CI set a failure.</exception>
    public static Task<KafkaBroker> StartAsync(CancellationToken ct) => StartAsync(new KafkaBrokerSettings(), ct);

    /// <exception cref="MissingPrerequisiteException">Kafka or Java is missing: a skip, with CI set a failure.</exception>
    public static async Task<KafkaBroker> StartAsync(KafkaBrokerSettings settings, CancellationToken ct)
    {
        var home = settings.Home ?? KafkaHome.Find();
        KafkaBroker broker = home.IsKraft ? new KraftBroker(home, settings) : new ZooKeeperBroker(home, settings);
        try
        {
            await broker.BeginAsync(ct);
            Count(home, 1);
            return broker;
        }
        catch
        {
            await broker.DisposeAsync();
            throw;
        }
    }

    internal static void Count(KafkaHome home, int brokers) =>
        Starts.AddOrUpdate(home.Version.ToString(), brokers, (_, count) => count + brokers);

    /// <summary>kill -9.</summary>
    public abstract Task KillAsync(CancellationToken ct);

    /// <summary>SIGTERM: it says goodbye to its clients, and writes down what it has.</summary>
    public abstract Task StopAsync(CancellationToken ct);

    /// <summary>On the same port and data.</summary>
    public abstract Task StartAgainAsync(CancellationToken ct);

    public abstract void Send(Signal signal);

    /// <summary>What an operator does to topics, by what the broker has for it.</summary>
    public abstract IBrokerTopics Topics { get; }

    public virtual ValueTask DisposeAsync()
    {
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    /// <summary>Runs a program out of Kafka's jars, as the scripts of its distribution do.</summary>
    /// <returns>What it said.</returns>
    public Task<string> ToolAsync(string main, CancellationToken ct, params IEnumerable<string> arguments) =>
        Tool.RunAsync(["java", .. JavaCommands.Frugal(128), .. Home.ClassPath(), main, .. arguments], ct);

    private protected abstract Task BeginAsync(CancellationToken ct);

    private protected string PathOf(string name) => Path.Combine(Folder, name);
}

/// <summary>Changes topics of a broker.</summary>
public interface IBrokerTopics
{
    Task SetAsync(string topic, IReadOnlyDictionary<string, string> settings, CancellationToken ct);

    /// <summary>The broker's own setting counts again.</summary>
    Task UnsetAsync(string topic, string setting, CancellationToken ct);

    /// <param name="total">How many it has then.</param>
    Task AddPartitionsAsync(string topic, int total, CancellationToken ct);

    /// <summary>Ends when the broker has taken it.</summary>
    Task DeleteAsync(IReadOnlyCollection<string> topics, CancellationToken ct);

    /// <summary>Names of all topics.</summary>
    Task<IReadOnlyCollection<string>> NamesAsync(CancellationToken ct);
}
