using System.Runtime.CompilerServices;
using Cdc.Core.Failures;

namespace Cdc.Host;

/// <summary>Connects the commands to the projects that do the work.</summary>
internal static class Composition
{
    public static Parts Connect() => new()
    {
        LoadEntities = _ => throw NotWired("EntityFile.Load"),
        Pipeline = (_, _, _) => throw NotWired("the pipeline"),
        Preflight = (_, _, _) => throw NotWired("Preflight.CheckAsync"),
        Migrator = (_, _) => throw NotWired("Migrator"),
        SlotSetup = (_, _) => throw NotWired("SlotSetup"),
        Workload = (_, _, _) => throw NotWired("WorkloadGenerator"),
    };

    private static CdcException NotWired(string part, [CallerFilePath] string file = "") =>
        new(FailureKind.Unexpected, $"This build of cdc does not contain {part}.", $"Connect it in {Path.GetFileName(file)} and build again.");
}
