using System.CommandLine;
using Cdc.Apply;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Engine;
using Cdc.Host.Terminals;
using Cdc.Log.Kafka;

namespace Cdc.Host;

/// <summary>What a command does with what was parsed. Returns the exit code; failures are thrown.</summary>
internal delegate Task<int> CommandAction(CommandContext context, ParseResult parsed, CancellationToken ct);

internal static class CommandActions
{
    /// <summary>Runs an action and turns every exception into a message on stderr and an exit code.</summary>
    public static Command Runs(this Command command, CommandHost host, CommandAction action)
    {
        command.SetAction(
            async (parsed, ct) =>
            {
                var form = new LogForm(host.Terminal.ErrorIsTerminal);
                using var loggers = LogSetup.Create(parsed.GetValue(GlobalOptions.Verbose), form);
                try
                {
                    return await action(new CommandContext(host, parsed.GetValue(GlobalOptions.Config), loggers, form), parsed, ct);
                }
                catch (OperationCanceledException) when (ct.IsCancellationRequested)
                {
                    return ExitCodes.Interrupted;
                }
                catch (Exception thrown)
                {
                    var failure = Explain(thrown) ?? thrown;
                    FailureReport.Write(host.Terminal, failure);
                    return ExitCodes.Of(failure);
                }
            }
        );
        return command;
    }

    private static CdcException? Explain(Exception thrown) =>
        thrown switch
        {
            CdcException typed => typed,
            EngineException engine => engine.Failure,
            _ => KafkaFailure.Explain(thrown) ?? ServerFailure.Of(Server.Either, thrown)?.ToException(thrown),
        };
}
