using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Cdc.Testing.Kafka;

/// <summary>By requests of any client: brokers since 0.11.</summary>
public sealed class ClientTopics(IReadOnlyDictionary<string, string> client, string bootstrapServers) : IBrokerTopics
{
    private static readonly TimeSpan Answer = TimeSpan.FromSeconds(20);

    public Task SetAsync(string topic, IReadOnlyDictionary<string, string> settings, CancellationToken ct) =>
        AlterAsync(topic, settings.Select(s => Entry(s.Key, s.Value, AlterConfigOpType.Set)));

    public Task UnsetAsync(string topic, string setting, CancellationToken ct) =>
        AlterAsync(topic, [Entry(setting, null, AlterConfigOpType.Delete)]);

    public async Task AddPartitionsAsync(string topic, int total, CancellationToken ct)
    {
        using var admin = Admin();
        await admin.CreatePartitionsAsync([new PartitionsSpecification { Topic = topic, IncreaseTo = total }]);
    }

    public async Task DeleteAsync(IReadOnlyCollection<string> topics, CancellationToken ct)
    {
        using var admin = Admin();
        await admin.DeleteTopicsAsync(topics, new DeleteTopicsOptions { OperationTimeout = Answer });
    }

    public Task<IReadOnlyCollection<string>> NamesAsync(CancellationToken ct) =>
        Task.Run<IReadOnlyCollection<string>>(
            () =>
            {
                using var admin = Admin();
                return [.. admin.GetMetadata(Answer).Topics.Select(t => t.Topic)];
            },
            ct
        );

    private async Task AlterAsync(string topic, IEnumerable<ConfigEntry> entries)
    {
        using var admin = Admin();
        await admin.IncrementalAlterConfigsAsync(
            new() { [new ConfigResource { Type = ResourceType.Topic, Name = topic }] = [.. entries] },
            new IncrementalAlterConfigsOptions { RequestTimeout = Answer }
        );
    }

    private static ConfigEntry Entry(string name, string? value, AlterConfigOpType operation) =>
        new()
        {
            Name = name,
            Value = value,
            IncrementalOperation = operation,
        };

    private IAdminClient Admin() =>
        new AdminClientBuilder(new Dictionary<string, string>(client) { ["bootstrap.servers"] = bootstrapServers })
            .SetLogHandler((_, _) => { })
            .Build();
}
