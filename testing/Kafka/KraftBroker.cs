using System.Globalization;
using Cdc.Testing.Postgres;
using Cdc.Testing.Processes;

namespace Cdc.Testing.Kafka;

/// <summary>One node of Kafka 4. It makes no topic by itself unless its properties say so.</summary>
internal sealed class KraftBroker : KafkaBroker
{
    private readonly KraftPlace _place;
    private readonly KraftNode _node;

    public KraftBroker(KafkaHome home, KafkaBrokerSettings settings)
        : base(home, settings)
    {
        _place = new KraftPlace("127.0.0.1", Port, FreePort.Next(), FreePort.Next());
        _node = new KraftNode(home, Folder, 1, _place, settings.Role, []);
    }

    public override IReadOnlyDictionary<string, string> ClientSettings { get; } = new Dictionary<string, string>();

    /// <summary>The listener that has no security.</summary>
    public override string AdminServers => _place.Of(_place.Internal);

    public override IBrokerTopics Topics => new ClientTopics(ClientSettings, AdminServers);

    public override Task KillAsync(CancellationToken ct) => _node.KillAsync(ct);

    public override Task StopAsync(CancellationToken ct) => _node.EndAsync(Signal.Terminate, ct);

    public override Task StartAgainAsync(CancellationToken ct) => _node.StartAsync(1, ct);

    public override void Send(Signal signal) => _node.Send(signal);

    public override async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        await base.DisposeAsync();
    }

    private protected override async Task BeginAsync(CancellationToken ct)
    {
        var properties = new Dictionary<string, string>(Settings.Properties)
        {
            ["num.partitions"] = Settings.Partitions.ToString(CultureInfo.InvariantCulture),
        };
        await _node.PrepareAsync(new Dictionary<int, KraftPlace> { [1] = _place }, properties, ct);
        await _node.StartAsync(1, ct);
    }
}
