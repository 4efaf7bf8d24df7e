using System.Collections.Concurrent;
using System.Diagnostics;
using Cdc.Core.Failures;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace Cdc.Log.Kafka;

/// <summary>Makes clients of one cluster, with what correctness rests on and what the options say.</summary>
public sealed class KafkaClients(KafkaOptions options, ILogger log)
{
    /// <summary>What the client side holds of one fetch and of all fetches: reading ahead must not undo the bounds on memory.</summary>
    private const string FetchKilobytes = "8192";

    /// <summary>A client that reaches no broker has the same to say twenty times a second.</summary>
    private static readonly TimeSpan SayAgain = TimeSpan.FromSeconds(10);

    private static readonly Version FirstThatAdministers = new(0, 11);

    private const string TransactionalIdSetting = "transactional.id";
    private const string GroupProtocolSetting = "group.protocol";
    private const string CancellationDelaySetting = "dotnet.cancellation.delay.max.ms";

    private readonly ConcurrentDictionary<ErrorCode, long> _said = new();

    /// <summary>
    /// What the brokers refused the login with since they last answered. A client goes on trying, and every question of it times out.
    /// </summary>
    private volatile Error? _refusedLogin;

    public KafkaOptions Options => options;

    /// <summary>
    /// One request in flight where the options switch idempotence off, as brokers before 0.11 need: else a retry could change the order.
    /// </summary>
    public bool IsIdempotent =>
        !Passed().TryGetValue("enable.idempotence", out var value) || value.Equals("true", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// The ids by which brokers fence a capture that was replaced: the same for all writers of this log, which take turns in them. None: no
    /// fencing.
    /// </summary>
    public IReadOnlyList<string> TransactionalIds
    {
        get
        {
            if (!IsIdempotent)
                return [];
            var id = Passed().GetValueOrDefault(TransactionalIdSetting) ?? options.TopicPrefix + ".cdc.capture";
            return [id, id + ".2"];
        }
    }

    /// <summary>
    /// False: the options name a broker version that neither creates topics for clients nor reports their settings. Such brokers do not
    /// even refuse: the request times out.
    /// </summary>
    public bool CanAdministerTopics
    {
        get
        {
            var passed = Passed();
            return passed.GetValueOrDefault("api.version.request") != "false"
                || !Version.TryParse(passed.GetValueOrDefault("broker.version.fallback"), out var brokers)
                || brokers >= FirstThatAdministers;
        }
    }

    /// <summary>Whom ACLs name, as far as the settings say: a certificate's name or a token's owner they do not.</summary>
    public string Principal => Login ?? "User:NAME";

    /// <summary>False: without TLS and SASL the brokers do not know who it is.</summary>
    public bool HasIdentity =>
        !Passed().GetValueOrDefault("security.protocol", "plaintext").Equals("plaintext", StringComparison.OrdinalIgnoreCase);

    private string? Login => Passed().GetValueOrDefault("sasl.username") is { } name ? "User:" + name : null;

    /// <summary>A question that waits for the brokers' answer, on another thread.</summary>
    /// <exception cref="CdcException">Configuration: they refuse the login.</exception>
    /// <exception cref="KafkaException">They do not answer, or refuse.</exception>
    public Task<T> AskAsync<T>(Func<T> ask, CancellationToken ct) => Task.Run(() => Ask(ask), ct);

    /// <summary>The same on this thread.</summary>
    public T Ask<T>(Func<T> ask)
    {
        try
        {
            var answer = ask();
            _refusedLogin = null;
            return answer;
        }
        catch (KafkaException e) when (_refusedLogin is { } refused && KafkaFailure.Of(e.Error).Kind == FailureKind.Unavailable)
        {
            throw KafkaFailure.Of(refused, e);
        }
    }

    public CdcException Denied(KafkaRight right, Exception? cause = null) => Denied([right], cause);

    /// <summary>Rights that this program's user lacks, with the commands that give them.</summary>
    public CdcException Denied(IReadOnlyList<KafkaRight> rights, Exception? cause) =>
        new(
            FailureKind.Preflight,
            $"Kafka does not allow {Login ?? "this program's user"}: {string.Join(", ", rights)}.",
            $"Give it these rights, as a user that may: {string.Join("; ", KafkaRight.Commands(options.BootstrapServers, Principal, rights))} "
                + $"('cdc grants kafka --principal {Principal}' prints all that cdc needs).",
            cause
        );

    /// <summary>Reads only the settings; no broker is asked.</summary>
    /// <exception cref="CdcException">Configuration: librdkafka has no such setting, or refuses its value.</exception>
    public void Check() => Admin().Dispose();

    internal IProducer<byte[], byte[]> Producer() => Made(ProducerBuilder(ProducerSettings()).Build);

    internal IProducer<byte[], byte[]> TransactionalProducer(string id)
    {
        var settings = ProducerSettings();
        settings[TransactionalIdSetting] = id;
        // The most that brokers allow by default: an outage that is shorter aborts nothing.
        settings.TryAdd("transaction.timeout.ms", "900000");
        return Made(ProducerBuilder(settings).Build);
    }

    /// <summary>For records of which each is for itself: one that is refused says nothing about the others.</summary>
    internal IProducer<byte[], byte[]> AsideProducer()
    {
        var settings = ProducerSettings();
        settings.Remove("enable.gapless.guarantee");
        return Made(ProducerBuilder(settings).Build);
    }

    private Dictionary<string, string> ProducerSettings()
    {
        var settings = Settings(
            new()
            {
                // It waits for brokers as long as it takes, and says so; what fails then can never succeed.
                ["message.timeout.ms"] = "0",
                ["queue.buffering.max.messages"] = "0",
                ["linger.ms"] = "2",
            }
        );
        settings["acks"] = "all";
        settings["dotnet.producer.delivery.report.fields"] = "none";
        if (IsIdempotent)
            settings["enable.gapless.guarantee"] = "true";
        else
            settings["max.in.flight.requests.per.connection"] = "1";
        settings["enable.idempotence"] = IsIdempotent ? "true" : "false";
        return settings;
    }

    /// <summary>Reads the partitions it is assigned, outside any group.</summary>
    /// <param name="onlyCommitted">False: also what is in transactions that are open, or were aborted.</param>
    internal IConsumer<byte[], byte[]> Reader(bool onlyCommitted = true)
    {
        var settings = Settings(new() { ["fetch.wait.max.ms"] = "10" });
        // It is in no group, but has the name of one.
        settings.Remove(GroupProtocolSetting);
        settings["group.id"] = options.Group + "-tails";
        settings["enable.auto.commit"] = "false";
        settings["enable.partition.eof"] = "true";
        settings["auto.offset.reset"] = "error";
        settings["isolation.level"] = onlyCommitted ? "read_committed" : "read_uncommitted";
        return Made(Builder(settings).Build);
    }

    /// <summary>A member of the appliers' group.</summary>
    internal ConsumerBuilder<byte[], byte[]> Member()
    {
        var settings = Settings(
            new()
            {
                ["fetch.wait.max.ms"] = "100",
                ["fetch.message.max.bytes"] = "1048576",
                ["queued.max.messages.kbytes"] = FetchKilobytes,
            }
        );
        settings["group.id"] = options.Group;
        // In Kafka 4's own protocol the brokers decide on both, and the client refuses settings for them.
        if (!settings.GetValueOrDefault(GroupProtocolSetting, "classic").Equals("consumer", StringComparison.OrdinalIgnoreCase))
        {
            settings.TryAdd("session.timeout.ms", "10000");
            settings["partition.assignment.strategy"] = "cooperative-sticky";
        }
        // Stored after the engine has committed, and sent from time to time: lag tools show what is applied.
        settings["enable.auto.commit"] = "true";
        settings["enable.auto.offset.store"] = "false";
        settings["auto.offset.reset"] = "error";
        settings["isolation.level"] = "read_committed";
        // The end of a transaction takes an offset without being a record: only so it is known to be passed.
        settings["enable.partition.eof"] = "true";
        // Headers and timestamps are not used, and cost two calls a record.
        settings["dotnet.consumer.consume.result.fields"] = "topic";
        return Builder(settings);
    }

    internal IAdminClient Admin()
    {
        var settings = Settings([]);
        // Each lives for a question or two, and its end waits for its poll: by default 100 ms, several times a start.
        settings.TryAdd(CancellationDelaySetting, "5");
        return Made(
            new AdminClientBuilder(settings).SetErrorHandler((_, error) => Say(error)).SetLogHandler((_, message) => Say(message)).Build
        );
    }

    /// <exception cref="CdcException">Configuration: librdkafka has no such setting, or refuses its value.</exception>
    internal static T Made<T>(Func<T> build)
    {
        try
        {
            return build();
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            throw new CdcException(
                FailureKind.Configuration,
                $"A Kafka client cannot be made: {e.Message}",
                "Correct CDC__Kafka__Client__…: names (with _ for each dot) and values are librdkafka's.",
                e
            );
        }
    }

    private ProducerBuilder<byte[], byte[]> ProducerBuilder(Dictionary<string, string> settings) =>
        new ProducerBuilder<byte[], byte[]>(settings).SetErrorHandler((_, error) => Say(error)).SetLogHandler((_, message) => Say(message));

    private ConsumerBuilder<byte[], byte[]> Builder(Dictionary<string, string> settings) =>
        new ConsumerBuilder<byte[], byte[]>(settings).SetErrorHandler((_, error) => Say(error)).SetLogHandler((_, message) => Say(message));

    private Dictionary<string, string> Settings(Dictionary<string, string> defaults)
    {
        foreach (var (name, value) in Passed())
            defaults[name] = value;
        // Only one client may have it: each new owner fences the previous one.
        defaults.Remove(TransactionalIdSetting);
        // A topic that brokers make by themselves has their settings: one partition, not compacted. Brokers before 0.11 do not know the
        // wish; what is asked of those is asked for all topics.
        defaults["allow.auto.create.topics"] = "false";
        defaults["bootstrap.servers"] = options.BootstrapServers;
        defaults["client.id"] = defaults.GetValueOrDefault("client.id", "cdc");
        return defaults;
    }

    /// <summary>A shell cannot export a name with a dot in it, and no setting of librdkafka has an underscore.</summary>
    private Dictionary<string, string> Passed() =>
        options.Client.ToDictionary(s => s.Key.Replace('_', '.').ToLowerInvariant(), s => s.Value);

    private void Say(Error error)
    {
        if (KafkaFailure.IsLogin(error.Code))
            _refusedLogin = error;
        if (_said.TryGetValue(error.Code, out var said) && Stopwatch.GetElapsedTime(said) < SayAgain)
            return;
        _said[error.Code] = Stopwatch.GetTimestamp();
        KafkaLog.ClientError(log, error.Code.ToString(), error.Reason);
    }

    private void Say(LogMessage message) => KafkaLog.ClientMessage(log, message.Facility, message.Message);
}
