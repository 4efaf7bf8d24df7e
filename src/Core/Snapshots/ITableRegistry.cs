using Cdc.Core.Changes;

namespace Cdc.Core.Snapshots;

/// <summary>What the engine remembers of each source table.</summary>
public interface ITableRegistry
{
    /// <summary>By entity index; null where nothing is known yet.</summary>
    IReadOnlyList<TableFingerprint?> Fingerprints { get; }

    /// <summary>True if the entity's rows are not applied until its table can be read again.</summary>
    bool IsStopped(int entity);
}
