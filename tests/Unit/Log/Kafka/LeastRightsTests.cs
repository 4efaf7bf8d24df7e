using Cdc.Log.Kafka;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cdc.Tests.Unit.Log.Kafka;

public sealed class LeastRightsTests
{
    private const string Data = "odoo.public.loyalty_card";

    private static readonly KafkaOptions Options = new() { BootstrapServers = "kafka-1:9092" };
    private static readonly KafkaClients Clients = new(Options, NullLogger.Instance);
    private static readonly TopicPlan Plan = new(Options, [Data]);

    [Theory]
    [InlineData(KafkaRole.Create, "`topics create`")]
    [InlineData(KafkaRole.Check, "`topics check`, `describe`")]
    [InlineData(KafkaRole.Capture, "`capture`")]
    [InlineData(KafkaRole.Apply, "`apply`")]
    [InlineData(KafkaRole.Lag, "`lag`, `status`, `api`")]
    public void The_table_of_the_documentation_is_what_is_asked_for(KafkaRole role, string row)
    {
        var rights = LeastRights.Of(role, Clients, Plan);
        string Cell(KafkaResource resource, string name) =>
            string.Join(", ", rights.Where(r => r.Resource == resource && r.Name == name).Select(r => r.Operation));
        string[] cells =
        [
            row,
            Cell(KafkaResource.Topic, Plan.Control.Name),
            Cell(KafkaResource.Topic, Data),
            Cell(KafkaResource.Topic, Plan.DeadLetters[0].Name),
            Cell(KafkaResource.Group, Options.Group),
            Cell(KafkaResource.TransactionalId, Clients.TransactionalIds[1]),
        ];
        var expected = string.Concat(cells.Select(c => c.Length == 0 ? "| " : $"| {c} ")) + "|";
        Assert.Contains(expected, File.ReadAllLines(SourceTree.PathOf("docs/kafka.md")));
    }

    [Fact]
    public void Resources_that_get_the_same_rights_share_a_command() =>
        Assert.Equal(
            [
                "kafka-acls.sh --bootstrap-server kafka-1:9092 --add --allow-principal 'User:cdc' --operation Describe --topic odoo.cdc.control",
                $"kafka-acls.sh --bootstrap-server kafka-1:9092 --add --allow-principal 'User:cdc' --operation Read --topic {Data}",
                "kafka-acls.sh --bootstrap-server kafka-1:9092 --add --allow-principal 'User:cdc' --operation Read --group cdc-apply",
            ],
            KafkaRight.Commands(Options.BootstrapServers, "User:cdc", LeastRights.Of(KafkaRole.Apply, Clients, Plan))
        );

    [Fact]
    public void Without_idempotence_there_is_no_transactional_id() =>
        Assert.DoesNotContain(
            LeastRights.Of(
                KafkaRole.Capture,
                new KafkaClients(
                    Options with
                    {
                        Client = new Dictionary<string, string> { ["enable_idempotence"] = "false" },
                    },
                    NullLogger.Instance
                ),
                Plan
            ),
            r => r.Resource == KafkaResource.TransactionalId
        );
}
