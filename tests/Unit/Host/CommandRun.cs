using Cdc.Core.Entities;
using Cdc.Host;
using Cdc.Host.Terminals;
using Xunit;

namespace Cdc.Tests.Unit.Host;

/// <summary>One invocation of the command line in this process: exit code and what was printed.</summary>
internal sealed record CommandRun(int ExitCode, string Out, string Error)
{
    private static readonly Dictionary<string, string> BothServers = new()
    {
        ["CDC__Source__ConnectionString"] = "Host=127.0.0.1;Port=1;Database=s;Username=u;Password=secret-s;Timeout=1",
        ["CDC__Engine__ConnectionString"] = "Host=127.0.0.1;Port=1;Database=e;Username=u;Password=secret-e;Timeout=1",
    };

    /// <summary>Parts that fail the test when they are called: each test connects those that it expects to be.</summary>
    public static Parts NoParts { get; } =
        new()
        {
            LoadEntities = _ => new EntitySet([]),
            Pipeline = (_, _, _, _) => throw new InvalidOperationException("not expected: pipeline"),
            Capture = (_, _, _, _) => throw new InvalidOperationException("not expected: capture"),
            Apply = (_, _, _, _) => throw new InvalidOperationException("not expected: apply"),
            Api = (_, _, _, _) => throw new InvalidOperationException("not expected: api"),
            Workload = (_, _, _) => throw new InvalidOperationException("not expected: workload"),
        };

    /// <param name="answers">Lines typed at the terminal; null: there is none.</param>
    public static async Task<CommandRun> OfAsync(Parts parts, string? answers, CancellationToken ct, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var terminal = new Terminal
        {
            Out = output,
            Error = error,
            In = new StringReader(answers ?? ""),
            OutIsTerminal = false,
            ErrorIsTerminal = false,
            CanAsk = answers is not null,
        };
        var code = await CommandLine.RunAsync(args, new CommandHost(parts, terminal, BothServers, TimeProvider.System), null, ct);
        return new CommandRun(code, output.ToString(), error.ToString());
    }

    public static Task<CommandRun> OfAsync(params string[] args) => OfAsync(NoParts, null, TestContext.Current.CancellationToken, args);
}
