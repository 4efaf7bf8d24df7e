using Cdc.Host;
using Cdc.Host.Configuration;
using Cdc.Host.Terminals;

// First: until the handlers are installed, a SIGTERM ends the process at once.
using var signals = new StopSignals();
var host = new CommandHost(Composition.Connect(), Terminal.OfProcess(), ConfigurationLoader.ProcessEnvironment(), TimeProvider.System);
return await CommandLine.RunAsync(args, host, signals);
