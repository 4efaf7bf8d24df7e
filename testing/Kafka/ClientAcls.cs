using System.Text.RegularExpressions;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Cdc.Testing.Kafka;

/// <summary>Obeys commands of Kafka's tool for ACLs (kafka-acls.sh) by requests, which takes no Java process for each.</summary>
public sealed partial class ClientAcls(string bootstrapServers)
{
    /// <param name="text">Any text with such commands in it.</param>
    public Task AddAsync(string text) => WithAsync(admin => admin.CreateAclsAsync([.. Bindings(text)]));

    /// <summary>Takes back what a command gave.</summary>
    public Task RemoveAsync(string text) => WithAsync(admin => admin.DeleteAclsAsync(Bindings(text).Select(b => b.ToFilter())));

    private async Task WithAsync(Func<IAdminClient, Task> act)
    {
        using var admin = new AdminClientBuilder(new Dictionary<string, string> { ["bootstrap.servers"] = bootstrapServers })
            .SetLogHandler((_, _) => { })
            .Build();
        await act(admin);
    }

    /// <summary>One for each operation on each resource.</summary>
    private static IEnumerable<AclBinding> Bindings(string text) =>
        from command in Commands().Matches(text)
        let principal = Principals().Match(command.Value).Groups["name"].Value
        from resource in Resources().Matches(command.Value)
        from operation in Operations().Matches(command.Value)
        select new AclBinding
        {
            Pattern = new ResourcePattern
            {
                Type = TypeOf(resource.Groups["type"].Value),
                Name = resource.Groups["name"].Value,
                ResourcePatternType = ResourcePatternType.Literal,
            },
            Entry = new AccessControlEntry
            {
                Principal = principal,
                Host = "*",
                Operation = Enum.Parse<AclOperation>(operation.Groups["name"].Value),
                PermissionType = AclPermissionType.Allow,
            },
        };

    private static ResourceType TypeOf(string flag) =>
        flag switch
        {
            "topic" => ResourceType.Topic,
            "group" => ResourceType.Group,
            // librdkafka's number: Confluent.Kafka 2.16 does not name it.
            _ => (ResourceType)5,
        };

    [GeneratedRegex(@"kafka-acls\.sh [^;\n]*")]
    private static partial Regex Commands();

    [GeneratedRegex("--allow-principal '(?<name>[^']+)'")]
    private static partial Regex Principals();

    [GeneratedRegex(@"--operation (?<name>\w+)")]
    private static partial Regex Operations();

    [GeneratedRegex(@"--(?<type>topic|group|transactional-id) (?<name>[^\s;]+)")]
    private static partial Regex Resources();
}
