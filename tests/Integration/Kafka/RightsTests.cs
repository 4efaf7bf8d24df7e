using System.Text.Json;
using Cdc.Core.Failures;
using Cdc.Log.Kafka;
using Cdc.Tests.Integration.Host;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>On brokers that give no right by themselves.</summary>
[Trait("Needs", "CDC_KAFKA_HOME")]
public sealed class RightsTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_rights_that_are_printed_suffice_and_each_that_is_missing_is_named_with_the_command_that_helps()
    {
        await using var broker = await GuardedBroker.StartAsync(Ct);
        await using var bed = new KafkaPipelineBed(await PipelineBed.CreateAsync(servers, Ct), broker.OptionsOf(KafkaRole.Create));
        var refused = await RunAsync(broker, bed, KafkaRole.Create);
        Assert.Equal((int)FailureKind.Preflight, refused.ExitCode);
        Assert.Contains($"Create on topic {bed.DataTopics[0]}", refused.Error, StringComparison.Ordinal);
        foreach (var role in Enum.GetValues<KafkaRole>())
            await broker.ObeyAsync(await PrintedAsync(bed, role), Ct);
        Assert.Equal(0, (await RunAsync(broker, bed, KafkaRole.Create)).ExitCode);
        var (capture, apply) = await StreamAsync(broker, bed);
        // A row in quarantine is shown in its topic.
        await bed.Bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = -1 WHERE id = 7", Ct);
        await LettersAsync(bed);
        foreach (var role in (KafkaRole[])[KafkaRole.Check, KafkaRole.Lag])
            Assert.Equal(0, (await RunAsync(broker, bed, role)).ExitCode);
        await AssertWarnedAsync(broker, bed);
        await AssertWithoutLettersAsync(broker, bed, capture);
        await capture.StopAsync();
        await apply.StopAsync();

        foreach (var (role, right) in Distinct(broker, bed))
        {
            var command = Assert.Single(KafkaRight.Commands("-", GuardedBroker.PrincipalOf(role), [right]));
            await broker.Acls.RemoveAsync(command);
            var denied = await EventuallyDeniedAsync(broker, bed, role, right);
            Assert.Contains($"Kafka does not allow {GuardedBroker.PrincipalOf(role)}:", denied, StringComparison.Ordinal);
            Assert.Contains(right.ToString(), denied, StringComparison.Ordinal);
            // The remedy, obeyed.
            await broker.Acls.AddAsync(denied);
            await EventuallyAllowedAsync(broker, bed, role, right);
        }
    }

    [Fact]
    public async Task A_wrong_password_is_a_refused_login_not_brokers_that_are_away()
    {
        await using var broker = await GuardedBroker.StartAsync(Ct);
        await using var bed = new KafkaPipelineBed(
            await PipelineBed.CreateAsync(servers, Ct),
            broker.OptionsOf(KafkaRole.Capture, password: "wrong")
        );
        foreach (
            var command in (string[][])
                [
                    ["topics", "check"],
                    ["topics", "create"],
                    ["lag"],
                ]
        )
        {
            var run = await bed.RunAsync(Ct, command);
            Assert.Equal((int)FailureKind.Configuration, run.ExitCode);
            Assert.Contains("Kafka refuses the login", run.Error, StringComparison.Ordinal);
            Assert.Contains("sasl_password", run.Error, StringComparison.Ordinal);
        }
        await bed.Bed.FillAsync(Ct);
        var refused = await Assert.ThrowsAnyAsync<CdcException>(() =>
            bed.StartCapture().Completion.WaitAsync(TimeSpan.FromSeconds(60), Ct)
        );
        Assert.Equal(FailureKind.Configuration, refused.Kind);
    }

    /// <summary>Who may check, and no more, hears what he lacks for the rest, and that it is no error.</summary>
    private static async Task AssertWarnedAsync(GuardedBroker broker, KafkaPipelineBed bed)
    {
        var warnings = Findings(await RunAsync(broker, bed, KafkaRole.Check), areErrors: false);
        var letters = new TopicPlan(bed.Kafka, bed.DataTopics).DeadLetters[0].Name;
        foreach (
            var said in (string[])
                [
                    $"Write on topic {letters}",
                    $"Read on topic {bed.DataTopics[0]}",
                    $"Write on topic {bed.DataTopics[0]}",
                    "'cdc capture' needs them",
                    "'cdc apply' needs them",
                ]
        )
            Assert.Contains(said, warnings, StringComparison.Ordinal);
    }

    /// <summary>Letters only show something: capture goes on without them, says what is missing, and sends them when it has the right.</summary>
    private static async Task AssertWithoutLettersAsync(GuardedBroker broker, KafkaPipelineBed bed, RunningEnd capture)
    {
        var plan = new TopicPlan(bed.Kafka, bed.DataTopics);
        var topic = LogTopics.DeadLetterTopic(bed.Kafka.TopicPrefix, bed.Codec.TopicOf(bed.Bed.Entity("card")));
        var right = new KafkaRight(KafkaResource.Topic, topic, KafkaOperation.Write);
        Assert.Contains(topic, plan.DeadLetters.Select(t => t.Name));
        await broker.Acls.RemoveAsync(Assert.Single(KafkaRight.Commands("-", GuardedBroker.PrincipalOf(KafkaRole.Capture), [right])));
        await bed.Bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = -1 WHERE id = 8", Ct);
        await bed.SaysAsync(right.ToString(), Ct);
        Assert.False(capture.Completion.IsCompleted);
        await broker.Acls.AddAsync(bed.Bed.Log.Lines.Last(l => l.Contains(right.ToString(), StringComparison.Ordinal)));
        await LettersAsync(bed);
    }

    private static Task LettersAsync(KafkaPipelineBed bed) =>
        Eventually.True(
            "every letter is there",
            async () =>
                await bed.Bed.Engine.ScalarAsync<bool>(
                    "SELECT count(*) > 0 AND bool_and(published_attempts = attempts) FROM cdc.quarantine",
                    Ct
                ),
            ct: Ct
        );

    private static async Task<string> PrintedAsync(KafkaPipelineBed bed, KafkaRole role)
    {
        var printed = await bed.RunAsync(
            Ct,
            "grants",
            "kafka",
            "--principal",
            GuardedBroker.PrincipalOf(role),
            "--for",
            role.ToString().ToLowerInvariant()
        );
        Assert.True(printed.ExitCode == 0, printed.Error);
        return printed.Out;
    }

    /// <summary>One of each operation on each kind of resource: the same on further tables is the same.</summary>
    private static List<(KafkaRole Role, KafkaRight Right)> Distinct(GuardedBroker broker, KafkaPipelineBed bed)
    {
        var plan = new TopicPlan(bed.Kafka, bed.DataTopics);
        string KindOf(KafkaRight right) =>
            right.Name == plan.Control.Name ? "control"
            : plan.DeadLetters.Any(t => t.Name == right.Name) ? "dlq"
            : right.Resource.ToString();
        return
        [
            .. Enum.GetValues<KafkaRole>()
                .Where(role => role != KafkaRole.Create)
                .SelectMany(role =>
                    LeastRights
                        .Of(role, new KafkaClients(broker.OptionsOf(role), NullLogger.Instance), plan)
                        .DistinctBy(r => (KindOf(r), r.Operation))
                        // One for the topic that only shows something is told of in the log.
                        .Where(r => role != KafkaRole.Capture || KindOf(r) != "dlq")
                        .Select(right => (role, right))
                ),
        ];
    }

    private static async Task<string> EventuallyDeniedAsync(GuardedBroker broker, KafkaPipelineBed bed, KafkaRole role, KafkaRight right)
    {
        var said = "";
        await Eventually.True(
            $"{role} without {right} is refused",
            async () =>
            {
                var (code, text) = await TryAsync(broker, bed, role);
                said = text;
                return code == (int)FailureKind.Preflight;
            },
            () => Task.FromResult(said),
            ct: Ct
        );
        return said;
    }

    private static Task EventuallyAllowedAsync(GuardedBroker broker, KafkaPipelineBed bed, KafkaRole role, KafkaRight right)
    {
        var said = "";
        return Eventually.True(
            $"{role} with {right} again goes on",
            async () =>
            {
                var (code, text) = await TryAsync(broker, bed, role);
                said = text;
                return code == 0;
            },
            () => Task.FromResult(said),
            ct: Ct
        );
    }

    /// <returns>Exit code, and all that was said.</returns>
    private static async Task<(int Code, string Said)> TryAsync(GuardedBroker broker, KafkaPipelineBed bed, KafkaRole role)
    {
        if (role is not (KafkaRole.Capture or KafkaRole.Apply))
        {
            var run = await RunAsync(broker, bed, role);
            return (run.ExitCode, role is KafkaRole.Check ? Findings(run, areErrors: true) : run.Error);
        }
        bed.Kafka = broker.OptionsOf(role);
        var before = await MarkAsync(bed, role);
        await using var end = role is KafkaRole.Capture ? bed.StartCapture() : bed.StartApply();
        var working = Eventually.True("it works", async () => await MarkAsync(bed, role) != before, ct: Ct);
        if (await Task.WhenAny(end.Completion, working) == working)
        {
            await working;
            return (0, "");
        }
        var failed = await Assert.ThrowsAnyAsync<CdcException>(() => end.Completion);
        return ((int)failed.Kind, $"{failed.Message}\n{failed.Remedy}");
    }

    /// <summary>Of warnings the check does not need the rights.</summary>
    private static string Findings(CommandRun check, bool areErrors) =>
        string.Join(
            '\n',
            JsonDocument
                .Parse(check.Out)
                .RootElement.GetProperty("findings")
                .EnumerateArray()
                .Where(f => f.GetProperty("isError").GetBoolean() == areErrors)
                .Select(f => $"{f.GetProperty("message")} {f.GetProperty("remedy")}")
        );

    /// <summary>Another one when capture has taken a new number, or apply its partitions.</summary>
    private static Task<string?> MarkAsync(KafkaPipelineBed bed, KafkaRole role) =>
        bed.Bed.Engine.ScalarAsync<string>(
            role is KafkaRole.Capture
                ? "SELECT session::text FROM cdc.source"
                : "SELECT string_agg(DISTINCT owner_token::text, ',') FROM cdc.checkpoints",
            Ct
        );

    private static async Task<(RunningEnd Capture, RunningEnd Apply)> StreamAsync(GuardedBroker broker, KafkaPipelineBed bed)
    {
        await bed.Bed.FillAsync(Ct);
        bed.Kafka = broker.OptionsOf(KafkaRole.Capture);
        var capture = bed.StartCapture();
        bed.Kafka = broker.OptionsOf(KafkaRole.Apply);
        var apply = bed.StartApply();
        var equal = bed.Bed.EqualByItselfAsync(Ct);
        // What a right is missing for says so at once.
        await await Task.WhenAny(equal, capture.Completion, apply.Completion);
        await equal;
        return (capture, apply);
    }

    private static Task<CommandRun> RunAsync(GuardedBroker broker, KafkaPipelineBed bed, KafkaRole role)
    {
        bed.Kafka = broker.OptionsOf(role);
        return role switch
        {
            KafkaRole.Create => bed.RunAsync(Ct, "topics", "create"),
            KafkaRole.Check => bed.RunAsync(Ct, "topics", "check", "--json"),
            _ => bed.RunAsync(Ct, "lag"),
        };
    }
}
