using System.Globalization;
using Microsoft.Extensions.Logging;
using Serilog;
using Serilog.Events;
using Serilog.Extensions.Logging;

namespace Cdc.Host;

/// <summary>Logs go to stderr, so that stdout holds results only: readable lines for a person, JSON lines for a collector.</summary>
internal static class LogSetup
{
    private const string Readable = "{Timestamp:HH:mm:ss.fff} {Level:u3} {Message:lj}{NewLine}{Exception}";

    public static ILoggerFactory Create(bool verbose, LogForm form)
    {
        var log = new LoggerConfiguration()
            .MinimumLevel.Is(verbose ? LogEventLevel.Debug : LogEventLevel.Information)
            // Npgsql logs statements and connection strings below warnings: neither belongs in our log.
            .MinimumLevel.Override("Npgsql", LogEventLevel.Warning)
            // ASP.NET logs request paths below warnings, and a path holds a card's code.
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            // The reason why a server does not start is also thrown, and reported once, with its remedy.
            .MinimumLevel.Override("Microsoft.Extensions.Hosting", LogEventLevel.Fatal)
            .WriteTo.Conditional(
                _ => !form.IsJson,
                to =>
                    to.Console(
                        outputTemplate: Readable,
                        formatProvider: CultureInfo.InvariantCulture,
                        standardErrorFromLevel: LogEventLevel.Verbose
                    )
            )
            .WriteTo.Conditional(_ => form.IsJson, to => to.Console(new JsonLines(), standardErrorFromLevel: LogEventLevel.Verbose));
        return new SerilogLoggerFactory(log.CreateLogger(), dispose: true);
    }
}
