using System.Globalization;
using System.Runtime.InteropServices;
using Cdc.Log.Kafka;

namespace Cdc.Tests.Support.Kafka;

/// <summary>
/// librdkafka's own mock of a cluster: one broker of the modern protocol in this process, in memory, that fails on demand.
/// Its error codes are Kafka's. It ends transactions with records that take an offset, and refuses a fenced producer
/// (<see cref="FencingProxy"/>); but it shows what is not committed, or was aborted, to every reader: that such records are not read only a
/// real broker can show.
/// </summary>
public sealed partial class MockCluster : IDisposable
{
    private const int Producer = 0;
    private const int Broker = 1;
    private const int NoBroker = -1;
    private const short Produce = 0;
    private const short Fetch = 1;
    private const short InitProducerId = 22;
    private const short EndTransaction = 26;

    /// <summary>Later versions name the present leader: the mock reads the leader for it, and dies where there is none.</summary>
    private const short LastProduce = 9;
    private const short LastFetch = 11;

    private readonly IntPtr _client;
    private readonly IntPtr _cluster;
    private readonly FencingProxy _proxy;

    static MockCluster() => Librdkafka.Resolve();

    public MockCluster()
    {
        var error = new byte[512];
        _client = NewClient(Producer, NewConfiguration(), error, (nuint)error.Length);
        _cluster = _client == IntPtr.Zero ? IntPtr.Zero : NewCluster(_client, 1);
        if (_cluster == IntPtr.Zero)
            throw new InvalidOperationException("librdkafka made no mock cluster.");
        _proxy = new FencingProxy(int.Parse(Marshal.PtrToStringUTF8(Bootstraps(_cluster))!.Split(':')[^1], CultureInfo.InvariantCulture));
        Advertise(_cluster, Broker, "127.0.0.1", _proxy.Port);
        // Or a group waits three seconds for members that might still come.
        SetRebalanceDelay(_cluster, 0);
        Require(SetVersions(_cluster, Produce, 0, LastProduce), "take a protocol version");
        Require(SetVersions(_cluster, Fetch, 0, LastFetch), "take a protocol version");
    }

    /// <summary>Its own topics and group.</summary>
    public KafkaOptions Options =>
        TestKafka.Unique(
            new KafkaOptions
            {
                BootstrapServers = $"127.0.0.1:{_proxy.Port}",
                // The mock waits nearly as long as a session may last for a group's members to come back.
                Client = new Dictionary<string, string> { ["session.timeout.ms"] = "2000" },
            }
        );

    public void CreateTopic(string topic, int partitions) => Require(NewTopic(_cluster, topic, partitions, 1), "make a topic");

    public void LoseLeader(string topic, int partition) => Require(SetLeader(_cluster, topic, partition, NoBroker), "remove a leader");

    public void FindLeader(string topic, int partition) => Require(SetLeader(_cluster, topic, partition, Broker), "give a leader");

    /// <summary>The next append to the partition is not made, and answered with this error of Kafka's.</summary>
    public void AnswerAppendWith(string topic, int partition, int error) =>
        Require(PushError(_cluster, topic, partition, Produce, 1, error), "take an error");

    /// <summary>The next append is made, and answered so late that the answer is lost to a client that waits less.</summary>
    public void AnswerAppendLate(TimeSpan late) =>
        Require(PushDelay(_cluster, Broker, Produce, 1, 0, (int)late.TotalMilliseconds), "delay an answer");

    /// <summary>The next append is on its way and does not arrive until it is released.</summary>
    public HeldRequest HoldAppend() => _proxy.HoldNext(Produce);

    /// <summary>The same of the next end of a transaction.</summary>
    public HeldRequest HoldEndOfTransaction() => _proxy.HoldNext(EndTransaction);

    /// <summary>The next request to append in transactions gets this error of Kafka's.</summary>
    public void AnswerProducerWith(int error) => PushError(_cluster, InitProducerId, 1, error);

    public void Dispose()
    {
        _proxy.Dispose();
        DestroyCluster(_cluster);
        DestroyClient(_client);
    }

    private static void Require(int error, string what)
    {
        if (error != 0)
            throw new InvalidOperationException($"The mock cluster did not {what}: error {error}.");
    }

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_conf_new")]
    private static partial IntPtr NewConfiguration();

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_new")]
    private static partial IntPtr NewClient(int kind, IntPtr configuration, [Out] byte[] error, nuint errorSize);

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_destroy")]
    private static partial void DestroyClient(IntPtr client);

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_mock_cluster_new")]
    private static partial IntPtr NewCluster(IntPtr client, int brokers);

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_mock_cluster_destroy")]
    private static partial void DestroyCluster(IntPtr cluster);

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_mock_cluster_bootstraps")]
    private static partial IntPtr Bootstraps(IntPtr cluster);

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_mock_group_initial_rebalance_delay_ms")]
    private static partial void SetRebalanceDelay(IntPtr cluster, int milliseconds);

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_mock_topic_create", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int NewTopic(IntPtr cluster, string topic, int partitions, int replicas);

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_mock_partition_set_leader", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetLeader(IntPtr cluster, string topic, int partition, int broker);

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_mock_broker_set_host_port", StringMarshalling = StringMarshalling.Utf8)]
    private static partial void Advertise(IntPtr cluster, int broker, string host, int port);

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_mock_set_apiversion")]
    private static partial int SetVersions(IntPtr cluster, short request, short least, short most);

    // They take any number of errors in C; on the platforms of these tests one is passed as fixed arguments are.
    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_mock_partition_push_request_errors", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int PushError(IntPtr cluster, string topic, int partition, short request, nuint count, int error);

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_mock_push_request_errors")]
    private static partial void PushError(IntPtr cluster, short request, nuint count, int error);

    [LibraryImport("librdkafka", EntryPoint = "rd_kafka_mock_broker_push_request_error_rtts")]
    private static partial int PushDelay(IntPtr cluster, int broker, short request, nuint count, int error, int milliseconds);
}
