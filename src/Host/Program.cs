using Cdc.Host;
using Cdc.Host.Configuration;
using Cdc.Host.Terminals;

// First of all: before the handlers stand, a SIGTERM ends the process as it ends any program.
using var signals = new StopSignals();
var host = new CommandHost(Composition.Connect(), Terminal.OfProcess(), ConfigurationLoader.ProcessEnvironment(), TimeProvider.System);
return await CommandLine.RunAsync(args, host, signals);
