using System.CommandLine;
using Cdc.Core.Failures;
using Cdc.Host.Configuration;
using Cdc.Host.Pipeline;
using Cdc.Host.Servers;
using Cdc.Host.Terminals;
using Cdc.Log;
using Cdc.Log.Kafka;

namespace Cdc.Host.Commands;

/// <summary>The topics of the Kafka log.</summary>
internal static class TopicsCommand
{
    private static readonly Option<bool> AsJson = GlobalOptions.Json();

    public static Command Create(CommandHost host) =>
        new("topics", "The topics of the Kafka log: one for each declared table, and the control topic.")
        {
            new ExplainedCommand("create",
                """
                Make the topics that do not exist (Kafka:Partitions, Kafka:ReplicationFactor, Kafka:MinInSyncReplicas). Changes none that does.

                Examples:
                  cdc topics create
                  CDC__Kafka__Partitions=8 cdc topics create
                """).Runs(host, CreateAsync),
            new ExplainedCommand("check",
                """
                Check what would lose records or their order: leaders, replicas, min.insync.replicas, unclean election, compaction, retention. Changes nothing.

                Examples:
                  cdc topics check
                """).Runs(host, CheckAsync),
            new ExplainedCommand("describe",
                """
                Show each partition with its leader, replicas and offsets. Changes nothing.

                Examples:
                  cdc topics describe
                  cdc topics describe --json | jq '.[].partitions[].high'
                """) { AsJson }.Runs(host, DescribeAsync),
        };

    private static async Task<int> CreateAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        await using var engine = CommandContext.Engine(context.Options(Needs.Engine));
        var (desk, topics) = Open(context, engine);
        var created = await desk.CreateAsync(topics);
        foreach (var topic in created) context.Terminal.Out.WriteLine($"{topic} created");
        context.Terminal.Out.WriteLine($"{created.Count} created, {2 * topics.Count + 1 - created.Count} existed; 'cdc topics check' says whether they will do");
        return ExitCodes.Success;
    }

    private static async Task<int> CheckAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        await using var engine = CommandContext.Engine(context.Options(Needs.Engine));
        var (desk, topics) = Open(context, engine);
        var findings = desk.Judge(await desk.DescribeAsync(topics));
        FindingList.Write(context.Terminal.Out, findings);
        return findings.Any(f => f.IsError) ? ExitCodes.Of(FailureKind.Preflight) : ExitCodes.Success;
    }

    private static async Task<int> DescribeAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        await using var engine = CommandContext.Engine(context.Options(Needs.Engine));
        var (desk, topics) = Open(context, engine);
        var described = await desk.DescribeAsync(topics);
        if (parsed.GetValue(AsJson)) context.Terminal.Out.WriteLine(Json.Document(described));
        else Show(context.Terminal, described);
        return ExitCodes.Success;
    }

    private static void Show(Terminal terminal, IReadOnlyList<DescribedTopic> topics)
    {
        var grid = new Grid("topic", "partition", "leader", "replicas", "in sync", "low", "high");
        foreach (var topic in topics)
        {
            if (topic.Error is { } error) grid.Add(topic.Name, "-", error, "-", "-", "-", "-");
            foreach (var p in topic.Partitions)
                grid.Add(topic.Name, $"{p.Number}", $"{p.Leader}", $"{p.Replicas}", $"{p.InSyncReplicas}", $"{p.Low}", $"{p.High}");
        }
        grid.Write(terminal);
    }

    private static (TopicDesk Desk, IReadOnlyList<string> Topics) Open(CommandContext context, Database engine)
    {
        var options = context.Options(Needs.Engine);
        if (options.Log.Kind != ChangeLogKind.Kafka)
            throw new CdcException(FailureKind.Configuration, "The change log is not Kafka.", "export CDC__Log__Kind=Kafka CDC__Kafka__BootstrapServers=127.0.0.1:9092");
        var entities = context.Entities(options);
        return (new TopicDesk(new KafkaClients(options.Kafka, context.Log)), LogTopics.DataTopics(entities, TopicCodec.Create(options, entities, engine.Connections)));
    }
}
