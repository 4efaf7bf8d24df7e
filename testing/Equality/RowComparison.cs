using Cdc.Core.Entities;

namespace Cdc.Testing.Equality;

/// <summary>
/// What follows from a key's source row, engine row and quarantine entry. A row that breaks a rule must be in quarantine; what the
/// engine shows of it until then is an older state and not compared. Every other row must be equal and not in quarantine.
/// </summary>
internal sealed class RowComparison(EntityDeclaration entity, HashSet<long> quarantined, int maxExamples, Func<long, bool> isLeftOut)
{
    private readonly List<Difference> _examples = [];
    private long _rows;
    private long _held;
    private long _differing;

    public IReadOnlyList<Difference> Examples => _examples;

    public EntityEquality Result => new(entity.Name, _rows, _held, _differing);

    public void Compare(ComparedRow? source, ComparedRow? engine)
    {
        var key = (source ?? engine)!.Key;
        var isQuarantined = quarantined.Remove(key);
        if (isLeftOut(key))
            return;
        _rows++;
        if (source is null)
            Differ(key, "is in the engine only", null, Text(engine!));
        else if (IsBroken(source))
            CheckQuarantined(source, isQuarantined);
        else if (isQuarantined)
            Differ(key, "is in quarantine though it breaks no rule", Text(source), engine is null ? null : Text(engine));
        else if (engine is null)
            Differ(key, "is missing in the engine", Text(source), null);
        else
            CompareValues(source, engine);
    }

    /// <summary>Entries of keys that neither side has.</summary>
    public void Finish()
    {
        foreach (var key in quarantined.Where(key => !isLeftOut(key)))
        {
            _rows++;
            Differ(key, "is in quarantine though the source has no such row", null, null);
        }
    }

    private bool IsBroken(ComparedRow source) =>
        source.Broken || entity.Columns.Where((c, i) => c.NotNull && source.Values[i] is null).Any();

    private void CheckQuarantined(ComparedRow source, bool isQuarantined)
    {
        if (isQuarantined)
            _held++;
        else
            Differ(source.Key, "breaks a rule and is not in quarantine", Text(source), null);
    }

    private void CompareValues(ComparedRow source, ComparedRow engine)
    {
        for (var i = 0; i < source.Values.Length; i++)
        {
            if (string.Equals(source.Values[i], engine.Values[i], StringComparison.Ordinal))
                continue;
            Differ(source.Key, entity.Columns[i].Name, source.Values[i], engine.Values[i]);
            return;
        }
    }

    private void Differ(long key, string what, string? source, string? engine)
    {
        _differing++;
        if (_examples.Count < maxExamples)
            _examples.Add(new Difference(entity.Name, key, what, source, engine));
    }

    private static string Text(ComparedRow row) => row.Broken ? "(no values)" : string.Join(" | ", row.Values.Select(v => v ?? "NULL"));
}
