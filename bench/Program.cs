using System.CommandLine;
using Cdc.Bench.Api;
using Cdc.Bench.Measure;

var root = new RootCommand("Measures the pipeline on its own servers.") { BenchCommand.Create(), BareApi.Create() };

return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
