using Cdc.Log.Kafka;

namespace Cdc.Tests.Support.Kafka;

/// <summary>
/// A broker where users log in with a password (SASL PLAIN), and have no right that was not given to them. Users are called as what they do.
/// </summary>
public sealed class GuardedBroker : IAsyncDisposable
{
    public static readonly IReadOnlyList<string> Users = [.. Enum.GetNames<KafkaRole>().Select(r => r.ToLowerInvariant())];

    private readonly KafkaBroker _broker;
    private readonly KafkaOptions _options;

    private GuardedBroker(KafkaBroker broker) => (_broker, _options) = (broker, TestKafka.OptionsOf(broker));

    public ClientAcls Acls => new(_broker.AdminServers);

    /// <exception cref="MissingPrerequisiteException">Kafka 4 or Java is missing: a skip, with CI set a failure.</exception>
    public static async Task<GuardedBroker> StartAsync(CancellationToken ct) =>
        new(await KafkaBroker.StartAsync(new KafkaBrokerSettings { Home = KafkaHome.FindKraft(), Properties = Properties }, ct));

    /// <summary>Of one log, whoever asks.</summary>
    public KafkaOptions OptionsOf(KafkaRole role, string? password = null) =>
        _options with
        {
            Client = new Dictionary<string, string>
            {
                ["security_protocol"] = "SASL_PLAINTEXT",
                ["sasl_mechanism"] = "PLAIN",
                ["sasl_username"] = UserOf(role),
                ["sasl_password"] = password ?? UserOf(role),
            },
        };

    public static string PrincipalOf(KafkaRole role) => "User:" + UserOf(role);

    /// <summary>Runs commands as they were printed, by Kafka's own tool.</summary>
    public async Task ObeyAsync(string commands, CancellationToken ct)
    {
        foreach (var line in commands.Split('\n').Where(l => l.StartsWith("kafka-acls.sh ", StringComparison.Ordinal)))
            await _broker.ToolAsync(
                "org.apache.kafka.tools.AclCommand",
                ct,
                line.Replace(_broker.BootstrapServers, _broker.AdminServers, StringComparison.Ordinal)
                    .Split(' ', StringSplitOptions.RemoveEmptyEntries)
                    .Skip(1)
                    .Select(word => word.Trim('\''))
            );
    }

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    private static string UserOf(KafkaRole role) => role.ToString().ToLowerInvariant();

    private static Dictionary<string, string> Properties =>
        new()
        {
            ["listener.security.protocol.map"] = "CLIENTS:SASL_PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
            ["sasl.enabled.mechanisms"] = "PLAIN",
            ["listener.name.clients.plain.sasl.jaas.config"] =
                "org.apache.kafka.common.security.plain.PlainLoginModule required "
                + string.Join(' ', Users.Select(user => $"user_{user}=\"{user}\""))
                + ";",
            ["authorizer.class.name"] = "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            // Nodes, and who administers.
            ["super.users"] = "User:ANONYMOUS",
        };
}
