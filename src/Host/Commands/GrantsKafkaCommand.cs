using System.CommandLine;
using Cdc.Core.Failures;
using Cdc.Host.Configuration;
using Cdc.Log.Kafka;

namespace Cdc.Host.Commands;

/// <summary>Prints commands; asks no server.</summary>
internal static class GrantsKafkaCommand
{
    private static readonly Option<string?> Principal = new("--principal")
    {
        Description = "Whom the rights are given to, such as User:cdc. Without: the user of Kafka:Client's sasl.username.",
        HelpName = "PRINCIPAL",
    };

    private static readonly Option<KafkaRole[]> For = new("--for")
    {
        Description = "create, check, capture, apply, lag. Without: all of them.",
        HelpName = "ROLE",
        AllowMultipleArgumentsPerToken = true,
        CustomParser = parsed =>
        {
            var roles = new List<KafkaRole>();
            foreach (var token in parsed.Tokens)
                if (Enum.TryParse<KafkaRole>(token.Value, ignoreCase: true, out var role) && !int.TryParse(token.Value, out _))
                    roles.Add(role);
                else
                    parsed.AddError($"'{token.Value}' is no role: create, check, capture, apply, lag.");
            return [.. roles];
        },
    };

    public static Command Create(CommandHost host) =>
        new ExplainedCommand(
            "kafka",
            """
            Print the ACLs that cdc needs in Kafka, as commands of Kafka's own tool (kafka-acls.sh), by what is done with them. Asks no broker and
            changes nothing.

            'cdc run' needs those of capture, apply and lag. A table that is declared later needs its topics' rights too: run it again then.

            Examples:
              cdc grants kafka --principal User:cdc
              cdc grants kafka --principal User:reader --for lag
            """
        )
        {
            Principal,
            For,
        }.Runs(host, (context, parsed, _) => Task.FromResult(Print(context, parsed)));

    private static int Print(CommandContext context, ParseResult parsed)
    {
        var options = context.Options(Needs.None);
        var clients = new KafkaClients(options.Kafka, context.Log);
        var plan = TopicsCommand.Plan(context, options);
        var principal = parsed.GetValue(Principal) ?? clients.Principal;
        if (!principal.Contains(':', StringComparison.Ordinal))
            throw new CdcException(
                FailureKind.Usage,
                $"'{principal}' is no principal.",
                $"Name its type too: --principal User:{principal}"
            );
        var bootstrap = options.Kafka.BootstrapServers is { Length: > 0 } given ? given : "BROKER:9092";
        foreach (var role in parsed.GetValue(For) is { Length: > 0 } asked ? asked : Enum.GetValues<KafkaRole>())
        {
            context.Terminal.Out.WriteLine($"# {Title(role)}");
            foreach (var command in KafkaRight.Commands(bootstrap, principal, LeastRights.Of(role, clients, plan)))
                context.Terminal.Out.WriteLine(command);
        }
        return ExitCodes.Success;
    }

    private static string Title(KafkaRole role) =>
        role switch
        {
            KafkaRole.Create => "cdc topics create (and cdc capture, cdc run with Kafka:CreateTopics)",
            KafkaRole.Check => "cdc topics check, cdc topics describe",
            KafkaRole.Capture => "cdc capture",
            KafkaRole.Apply => "cdc apply",
            _ => "cdc lag, cdc status, cdc api",
        };
}
