using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Host.Configuration;
using Cdc.Host.Servers;
using Cdc.Host.Terminals;
using Microsoft.Extensions.Logging;

namespace Cdc.Host;

/// <summary>One invocation: configuration is read when a command asks for it, and only for the servers it names.</summary>
internal sealed class CommandContext(CommandHost host, string? configurationFile, ILoggerFactory loggers, LogForm form)
{
    public Parts Parts => host.Parts;
    public Terminal Terminal => host.Terminal;
    public TimeProvider Time => host.Time;
    public ILoggerFactory Loggers => loggers;

    /// <summary>Of what the commands share with the pipeline.</summary>
    public ILogger Log => field ??= loggers.CreateLogger("Cdc.Host");

    /// <summary>Stderr is read by a collector: whatever is written there is a log line.</summary>
    public bool IsCollected => form.IsJson || !host.Terminal.ErrorIsTerminal;

    public CdcOptions Options(Needs needs)
    {
        var options = ConfigurationLoader.Load(configurationFile, host.Environment, needs);
        form.Use(options.Log.Format);
        return options;
    }

    public EntitySet Entities(CdcOptions options) => Parts.LoadEntities(options.Entities);

    /// <exception cref="CdcException">Usage: no such entity, with the nearest name.</exception>
    public EntityDeclaration Entity(CdcOptions options, string name)
    {
        var entities = Entities(options);
        if (entities.Find(name) is { } entity)
            return entity;
        throw new CdcException(
            FailureKind.Usage,
            $"There is no entity or table '{name}'.",
            NearestName.Remedy(name, entities.All.Select(e => e.Name), "Declared")
        );
    }

    public static Database Source(CdcOptions options) => Database.Source(options.Source.ConnectionString);

    /// <summary>For commands that only look: they leave the source alone while it is let go of.</summary>
    public static Database Source(CdcOptions options, Database engine) =>
        Database.Source(options.Source.ConnectionString, pause: new SourceHold(engine).ReadAsync);

    public static Database Engine(CdcOptions options) => Database.Engine(options.Engine.ConnectionString);
}
