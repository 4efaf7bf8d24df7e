using Cdc.Core.Changes;

namespace Cdc.Apply.Rows;

/// <summary>
/// From which position on an entity's rows are known to be complete. Below it changes may have passed a row by (a declared gap, a stopped
/// table, a rewrite), so its columns must not fill what an UPDATE leaves unsaid.
/// </summary>
internal sealed class WholeSince(int entities)
{
    private readonly ChangePosition[] _since = new ChangePosition[entities];

    public ChangePosition this[int entity]
    {
        get => _since[entity];
        set => _since[entity] = value;
    }
}
