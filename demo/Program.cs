using System.CommandLine;
using Cdc.Demo;

// Ctrl-C ends the demo with a last check, which takes as long as it takes: the command handles it.
return await DemoCommand.Create().Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
