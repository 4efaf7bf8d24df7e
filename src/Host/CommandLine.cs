using System.CommandLine;
using System.CommandLine.Invocation;
using Cdc.Core.Failures;
using Cdc.Host.Commands;

namespace Cdc.Host;

/// <summary>All commands under one root, and the rules that hold for each.</summary>
internal static class CommandLine
{
    private const string Text = """
        Streams every change of Odoo's loyalty tables to the engine, complete and exact.

        Examples:
          cdc check                    what is missing, with the SQL that adds it
          cdc migrate                  create or upgrade the engine's tables
          cdc run                      load, then follow; stop it with Ctrl-C or SIGTERM
          cdc status --watch           how far it is
          cdc reconcile                whether Odoo and engine are equal

        Configuration: cdc.json in the current folder, or environment variables such as
        CDC__Source__ConnectionString and CDC__Engine__ConnectionString.
        """;

    public static RootCommand Root(CommandHost host, StopSignals? signals = null)
    {
        var root = new RootCommand(ExplainedHelp.Summary(Text));
        ExplainedHelp.AddTo(root, Text);
        root.Options.Add(GlobalOptions.Config);
        root.Options.Add(GlobalOptions.Verbose);
        Command[] commands =
        [
            RunCommand.Create(host, signals),
            CaptureCommand.Create(host, signals),
            ApplyCommand.Create(host, signals),
            ApiCommand.Create(host, signals),
            MigrateCommand.Create(host),
            CheckCommand.Create(host),
            EntitiesCommand.Create(host),
            StatusCommand.Create(host),
            SnapshotCommand.Create(host),
            ReconcileCommand.Create(host),
            AlertsCommand.Create(host),
            TopicsCommand.Create(host),
            LagCommand.Create(host),
            GrantsCommand.Create(host),
            QuarantineCommand.Create(host),
            SlotCommand.Create(host),
            PauseCommand.Create(host),
            ResumeCommand.Create(host),
            OwnerCommand.Create(host),
            ConflictsCommand.Create(host),
            CutoverCommand.Create(host),
            KeysCommand.Create(host),
            ReverseCommand.Create(host, signals),
            WorkloadCommand.Create(host),
            VersionCommand.Create(host),
        ];
        foreach (var command in commands)
            root.Subcommands.Add(command);
        return root;
    }

    public static Task<int> RunAsync(IReadOnlyList<string> args, CommandHost host, StopSignals signals) =>
        RunAsync(args, host, signals, signals.Token);

    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> args, CommandHost host, StopSignals? signals, CancellationToken ct)
    {
        var parsed = Root(host, signals).Parse(args);
        // Not every error is one: --help and --version run despite them.
        if (parsed.Action is ParseErrorAction && args.Count > 0)
        {
            UsageReport.Write(parsed, host.Terminal.Error);
            return ExitCodes.Of(FailureKind.Usage);
        }
        // The library's own handling would end the process two seconds after a signal: draining may take longer.
        var settings = new InvocationConfiguration
        {
            Output = host.Terminal.Out,
            Error = host.Terminal.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        };
        var code = await parsed.InvokeAsync(settings, ct);
        return parsed.Action is ParseErrorAction ? ExitCodes.Of(FailureKind.Usage) : code;
    }
}
