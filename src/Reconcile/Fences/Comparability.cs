using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Fences;
using Cdc.Engine.Fences;
using Cdc.Engine.Tables;
using Cdc.Reconcile.Tables;

namespace Cdc.Reconcile.Fences;

/// <summary>What makes the two snapshots of a fence incomparable, though the fence held.</summary>
internal static class Comparability
{
    /// <summary>Null: nothing.</summary>
    /// <exception cref="CdcException">Configuration: the source is not the one that the engine follows.</exception>
    public static BrokenFence? Refuse(SourceReading source, EngineReading engine, EntityDeclaration entity, int generation)
    {
        RequireSameSource(source.Server, engine);
        if (engine.State != SourceState.Streaming || engine.Generation != generation)
            return new BrokenFence(FenceReasons.Generation, $"A new generation begins (the engine's source is '{engine.State.Word()}').");
        if (engine.TableState is null or TableState.Stopped)
            return new BrokenFence(FenceReasons.Stopped, LeftOut.Stopped(entity.Name, engine.StopReason));
        if (engine.RelationOid is { } oid && (oid != source.RelationOid || engine.FileNode != source.FileNode))
            return new BrokenFence(
                FenceReasons.Rewritten,
                $"{entity.SourceName} was rewritten, truncated or created again, and the pipeline has not noticed yet."
            );
        return null;
    }

    private static void RequireSameSource(SourceServer source, EngineReading engine)
    {
        if (
            source.SystemIdentifier == engine.SystemIdentifier
            && source.Database == engine.Database
            && (engine.DatabaseOid ?? source.DatabaseOid) == source.DatabaseOid
            && !source.IsStandby
        )
            return;
        throw new FenceException(
            FenceReasons.GivenUp,
            FailureKind.Configuration,
            source.IsStandby
                ? "Source:ConnectionString leads to a standby. What it sees lags behind the primary that the pipeline follows."
                : $"Source:ConnectionString leads to database {source.Database} ({source.DatabaseOid}) of system {source.SystemIdentifier}; "
                    + $"the engine follows {engine.Database} ({engine.DatabaseOid}) of system {engine.SystemIdentifier}.",
            "Correct Source:ConnectionString: comparisons read the primary that 'cdc run' follows."
        );
    }
}
