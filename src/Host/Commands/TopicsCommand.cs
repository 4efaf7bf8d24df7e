using System.CommandLine;
using Cdc.Capture;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Engine.Tables;
using Cdc.Host.Configuration;
using Cdc.Host.Servers;
using Cdc.Host.Terminals;
using Cdc.Log;
using Cdc.Log.Kafka;

namespace Cdc.Host.Commands;

/// <summary>The topics of the Kafka log.</summary>
internal static class TopicsCommand
{
    private static readonly Option<bool> AsJson = GlobalOptions.Json();
    private static readonly Option<string?> For = CreateFor();

    public static Command Create(CommandHost host) =>
        new("topics", "The topics of the Kafka log: one for each declared table, and the control topic.")
        {
            new ExplainedCommand(
                "create",
                """
                Create the topics that do not exist (Kafka:Partitions, Kafka:ReplicationFactor, Kafka:MinInSyncReplicas). Topics that exist stay unchanged.

                Examples:
                  cdc topics create
                  CDC__Kafka__Partitions=8 cdc topics create
                """
            ).Runs(host, CreateAsync),
            new ExplainedCommand(
                "check",
                """
                Check what would lose records or their order: numbers of partitions, leaders, replicas, min.insync.replicas, unclean election,
                compaction, retention, whose time records have; and rights on them that the user lacks. With --for also what of the declaration,
                of Odoo's tables and of the settings hurts that reader of the topics (docs/readers.md). Changes nothing.

                Examples:
                  cdc topics check
                  cdc topics check --json
                  cdc topics check --for connect
                """
            )
            {
                For,
                AsJson,
            }.Runs(host, CheckAsync),
            new ExplainedCommand(
                "describe",
                """
                Show each partition with its leader, replicas and offsets. Changes nothing.

                Examples:
                  cdc topics describe
                  cdc topics describe --json | jq '.[].partitions[].high'
                """
            )
            {
                AsJson,
            }.Runs(host, DescribeAsync),
        };

    private static async Task<int> CreateAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var (topics, plan, _) = Open(context);
        var created = await topics.CreateAsync(ct);
        foreach (var topic in created)
            context.Terminal.Out.WriteLine($"{topic} created");
        context.Terminal.Out.WriteLine(
            $"{created.Count} created, {plan.All.Count() - created.Count} existed; 'cdc topics check' checks them"
        );
        return ExitCodes.Success;
    }

    private static async Task<int> CheckAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var reader = parsed.GetValue(For) is { } name ? Enum.Parse<TopicReader>(name, ignoreCase: true) : (TopicReader?)null;
        var (topics, plan, options) = Open(context, reader is null ? Needs.Engine : Needs.Both);
        var described = await topics.DescribeAsync(ct);
        var (known, unknown) = await KnownAsync(options, ct);
        IReadOnlyList<Finding> findings =
        [
            .. unknown,
            .. await new RightsFindings(new KafkaClients(options.Kafka, context.Log), plan).FindAsync(described, ct),
            .. new TopicFindings(plan, options.Kafka.MinInSyncReplicas, known).Of(described),
            .. reader is null ? [] : await ForAsync(reader.Value, options, context.Entities(options), ct),
        ];
        if (parsed.GetValue(AsJson))
            context.Terminal.Out.WriteLine(Json.Document(new { ok = !findings.Any(f => f.IsError), findings }));
        else
            FindingList.Write(context.Terminal.Out, findings);
        return findings.Any(f => f.IsError) ? ExitCodes.Of(FailureKind.Preflight) : ExitCodes.Success;
    }

    private static async Task<int> DescribeAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var described = await Open(context).Topics.DescribeAsync(ct);
        if (parsed.GetValue(AsJson))
            context.Terminal.Out.WriteLine(Json.Document(described));
        else
            Show(context.Terminal, described);
        return ExitCodes.Success;
    }

    /// <summary>
    /// Partitions that the engine has checkpoints of; while the engine is down, a finding that they could not be compared.
    /// </summary>
    private static async Task<(IReadOnlyCollection<string> Known, IReadOnlyList<Finding> Unknown)> KnownAsync(
        CdcOptions options,
        CancellationToken ct
    )
    {
        await using var engine = CommandContext.Engine(options);
        try
        {
            return (await engine.UseAsync(c => PartitionTable.NamesAsync(c, ct), ct), []);
        }
        catch (CdcException failure)
        {
            return (
                [],
                [
                    new Finding(
                        "engine",
                        IsError: false,
                        $"Whether a topic has other partitions than before is not known: {failure.Message}",
                        failure.Remedy
                    ),
                ]
            );
        }
    }

    private static async Task<IReadOnlyList<Finding>> ForAsync(
        TopicReader reader,
        CdcOptions options,
        EntitySet entities,
        CancellationToken ct
    )
    {
        try
        {
            var full = await ReplicaIdentities.FullAsync(options.Source, entities, ct);
            return new ReaderFindings(reader, options.Kafka, entities, full).Find();
        }
        catch (CdcException failure)
        {
            var unknown = new Finding(
                "source",
                IsError: false,
                $"What updates and deletes of Odoo's tables send is not known: {failure.Message}",
                failure.Remedy
            );
            return [unknown, .. new ReaderFindings(reader, options.Kafka, entities, full: null).Find()];
        }
    }

    private static Option<string?> CreateFor()
    {
        var option = new Option<string?>("--for") { Description = "Also for this reader of the topics.", HelpName = "connect|flink" };
        option.AcceptOnlyFromAmong([.. Enum.GetNames<TopicReader>().Select(n => n.ToLowerInvariant())]);
        return option;
    }

    private static void Show(Terminal terminal, IReadOnlyList<DescribedTopic> topics)
    {
        var grid = new TextTable("topic", "partition", "leader", "replicas", "in sync", "low", "high");
        foreach (var topic in topics)
        {
            if (topic.Error is { } error)
                grid.Add(topic.Name, "-", error, "-", "-", "-", "-");
            foreach (var p in topic.Partitions)
                grid.Add(
                    topic.Name,
                    $"{p.Number}",
                    p.Leader < 0 ? "none" : $"{p.Leader}",
                    $"{p.Replicas}",
                    $"{p.InSyncReplicas}",
                    Quantity.Count(p.Low),
                    Quantity.Count(p.High)
                );
        }
        grid.Write(terminal);
    }

    private static (TopicAdministration Topics, TopicPlan Plan, CdcOptions Options) Open(CommandContext context, Needs needs = Needs.Engine)
    {
        var options = context.Options(needs);
        if (options.Log.Kind != ChangeLogKind.Kafka)
            throw new CdcException(
                FailureKind.Configuration,
                "The change log is not Kafka: there are no topics.",
                "export CDC__Log__Kind=Kafka CDC__Kafka__BootstrapServers=127.0.0.1:9092"
            );
        var plan = Plan(context, options);
        return (new TopicAdministration(new KafkaClients(options.Kafka, context.Log), plan), plan, options);
    }

    /// <summary>By the declaration and the options alone.</summary>
    public static TopicPlan Plan(CommandContext context, CdcOptions options)
    {
        var entities = context.Entities(options);
        return new TopicPlan(options.Kafka, LogTopics.DataTopics(entities, LogTopics.TopicOf(entities, options.Kafka)));
    }
}
