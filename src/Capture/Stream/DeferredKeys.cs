using Cdc.Core.Changes;

namespace Cdc.Capture.Stream;

/// <summary>
/// Tables whose key is checked later than at each row, and what met at their keys in the open transaction. Every other table costs one look
/// at a set that is empty nearly everywhere.
/// </summary>
internal sealed class DeferredKeys
{
    /// <summary>Of one relation in one transaction: then its table is read again.</summary>
    private const int MostRows = 200_000;
    private const long MostBytes = 32 << 20;

    private readonly HashSet<int> _entities = [];
    private readonly Dictionary<uint, (MappedTable Table, KeyTransaction Keys)> _open = [];
    private readonly int _mostRows;

    /// <param name="entities">Whose keys are deferred.</param>
    /// <param name="mostRows">Rows that are remembered of a relation.</param>
    public DeferredKeys(IEnumerable<int> entities, int mostRows = MostRows) => (_entities, _mostRows) = ([.. entities], mostRows);

    /// <summary>Relations whose keys were touched in the open transaction.</summary>
    public IEnumerable<(MappedTable Table, KeyTransaction Keys)> Open => _open.Values;

    public bool IsEmpty => _open.Count == 0;

    public void Set(int entity, bool isDeferred)
    {
        if (isDeferred)
            _entities.Add(entity);
        else
            _entities.Remove(entity);
    }

    /// <summary>Null: the table's key is checked at each row.</summary>
    public KeyTransaction? Of(uint relation, MappedTable table)
    {
        if (_entities.Count == 0 || !IsDeferred(table))
            return null;
        if (!_open.TryGetValue(relation, out var open))
            _open[relation] = open = (table, new KeyTransaction(table.Schemas[0], table.Key, _mostRows, MostBytes));
        // Described again, which PostgreSQL does at any time.
        else if (open.Table != table)
        {
            if (!table.Schemas[0].Columns.SequenceEqual(open.Table.Schemas[0].Columns))
                open.Keys.Forget();
            _open[relation] = open = (table, open.Keys);
        }
        return open.Keys;
    }

    /// <summary>All rows are gone.</summary>
    public void Truncated(uint relation) => _open.Remove(relation);

    public void Clear() => _open.Clear();

    private bool IsDeferred(MappedTable table)
    {
        foreach (var schema in table.Schemas)
            if (_entities.Contains(schema.Entity))
                return true;
        return false;
    }
}
