using System.CommandLine;
using Cdc.Bench.Api;
using Cdc.Bench.Demo;
using Cdc.Bench.Measure;

var root = new RootCommand("Shows and measures the pipeline on servers of its own.")
{
    DemoCommand.Create(),
    BenchCommand.Create(),
    BareApi.Create(),
};

// Ctrl-C ends a demo with a last check, which takes as long as it takes: the command handles it.
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
