using Cdc.Host;
using Cdc.Host.Configuration;
using Cdc.Host.Terminals;

var host = new CommandHost(Composition.Connect(), Terminal.OfProcess(), ConfigurationLoader.ProcessEnvironment(), TimeProvider.System);
using var signals = new StopSignals();
return await CommandLine.RunAsync(args, host, signals);
