using System.CommandLine;
using Cdc.Bench.Api;
using Cdc.Bench.Measure;

var root = new RootCommand("Measures the pipeline on servers of its own.") { BenchCommand.Create(), BareApi.Create() };

return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
