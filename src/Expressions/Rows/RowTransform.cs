using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Expressions.Declaration;
using Cdc.Expressions.Nodes;

namespace Cdc.Expressions.Rows;

/// <summary>
/// One entity's expressions, compiled: checks a source row and writes its engine columns. Not for two threads at once (texts are made in
/// buffers that are used again): compile one for each.
/// </summary>
public sealed class RowTransform
{
    /// <summary>Verdicts have one bit for each.</summary>
    internal const int MaxRules = 64;

    private readonly Node<bool>[] _rules;
    private readonly ulong[] _ruleInputs;
    private readonly ulong _warnings;
    private readonly ColumnWriter[] _writers;
    private readonly ulong[] _columnInputs;
    private readonly SourceRowJson _json;

    private RowTransform(EntityDeclaration entity)
    {
        Entity = entity;
        Rules = RulesOf(entity);
        if (Rules.Count > MaxRules)
            throw new InvalidOperationException(
                $"{entity.Name} has {Rules.Count} rules with those of its column types; at most {MaxRules} can be checked."
            );
        _rules = [.. Rules.Select(r => ExpressionCompiler.Condition(r.Check, entity.SourceColumns))];
        _ruleInputs = [.. _rules.Select(r => r.Inputs)];
        for (var i = 0; i < Rules.Count; i++)
            if (Rules[i].Warn)
                _warnings |= 1UL << i;
        var types = entity.Columns.Select(c => SqlTypeName.Parse(c.Type)!.Value).ToArray();
        var values = entity.Columns.Select((c, i) => ExpressionCompiler.Value(c.Value, entity.SourceColumns, types[i])).ToArray();
        _columnInputs = [.. values.Select(v => v.Inputs)];
        _writers = [.. values.Select((v, i) => ColumnWriter.For(v, types[i]))];
        _json = new SourceRowJson(entity.SourceColumns);
    }

    public EntityDeclaration Entity { get; }

    /// <summary>The declared rules, then those that follow from the engine's types. Each check is SQL over source columns.</summary>
    public IReadOnlyList<RowRule> Rules { get; }

    /// <exception cref="InvalidOperationException">The declaration did not come from <see cref="EntityFile"/> and is wrong.</exception>
    public static RowTransform Compile(EntityDeclaration entity)
    {
        try
        {
            return new RowTransform(entity);
        }
        catch (ExpressionException wrong)
        {
            throw new InvalidOperationException($"{entity.Name}: {wrong.Message}", wrong);
        }
    }

    internal static IReadOnlyList<RowRule> RulesOf(EntityDeclaration entity) => [.. entity.Rules, .. GeneratedRules.Of(entity)];

    /// <summary>Source slots that an engine column's expression reads.</summary>
    public IReadOnlyList<int> InputSlots(int column) =>
        [.. Enumerable.Range(0, Entity.SourceColumns.Count).Where(slot => (_columnInputs[column] >> slot & 1) != 0)];

    /// <summary>Checks every rule. A rule of which no column is known is skipped, as the engine keeps what it has.</summary>
    public RowVerdict Check(SourceRow row)
    {
        var unknownSlots = row.IsPartial ? UnknownSlots(row) : 0;
        ulong failed = 0,
            unknown = 0;
        for (var i = 0; i < _rules.Length; i++)
        {
            var missing = _ruleInputs[i] & unknownSlots;
            if (missing == 0)
            {
                if (!Passes(_rules[i], row))
                    failed |= 1UL << i;
            }
            else if (missing != _ruleInputs[i])
                unknown |= 1UL << i;
        }
        return new RowVerdict(failed & ~_warnings, unknown & ~_warnings, failed & _warnings);
    }

    /// <summary>The reason of a broken row: the first rule's name, and what all broken rules say.</summary>
    public (string Reason, string Detail) Describe(RowVerdict verdict)
    {
        var broken = Enumerable.Range(0, Rules.Count).Where(i => (verdict.Broken >> i & 1) != 0).Select(i => Rules[i]).ToList();
        return broken.Count == 0 ? ("", "") : (broken[0].Name, string.Join("; ", broken.Select(r => r.Message)));
    }

    /// <summary>
    /// Writes the engine columns in order, each as a field of binary COPY (int32 length or -1, bytes). A column of which an input is not
    /// known is written as NULL: see <see cref="UnknownColumns"/>. The row must have passed <see cref="Check"/>.
    /// </summary>
    public void WriteColumns(SourceRow row, CopyBuffer buffer)
    {
        if (row.IsPartial)
        {
            WriteKnownColumns(row, buffer);
            return;
        }
        foreach (var writer in _writers)
            writer.Write(row, buffer);
    }

    /// <summary>Writes one engine column, as <see cref="WriteColumns"/> does.</summary>
    /// <returns>False, with nothing written: an input is not known.</returns>
    public bool TryWriteColumn(int column, SourceRow row, CopyBuffer buffer)
    {
        if (row.IsPartial && (_columnInputs[column] & UnknownSlots(row)) != 0)
            return false;
        _writers[column].Write(row, buffer);
        return true;
    }

    /// <summary>One bit for each engine column of which an input is unchanged or missing.</summary>
    public ulong UnknownColumns(SourceRow row)
    {
        if (!row.IsPartial)
            return 0;
        var unknownSlots = UnknownSlots(row);
        var columns = 0UL;
        for (var i = 0; i < _columnInputs.Length; i++)
            if ((_columnInputs[i] & unknownSlots) != 0)
                columns |= 1UL << i;
        return columns;
    }

    /// <summary>The row's source values as JSON, for people to read. Never throws; long texts are cut.</summary>
    public string SourceJson(SourceRow row) => _json.Write(row);

    private static bool Passes(Node<bool> rule, SourceRow row)
    {
        try
        {
            // As in a CHECK constraint, NULL passes.
            return !rule.TryGet(row, out var holds) || holds;
        }
        catch (EvaluationException)
        {
            return false;
        }
    }

    private void WriteKnownColumns(SourceRow row, CopyBuffer buffer)
    {
        var unknown = UnknownColumns(row);
        for (var i = 0; i < _writers.Length; i++)
        {
            if ((unknown >> i & 1) != 0)
                buffer.WriteNull();
            else
                _writers[i].Write(row, buffer);
        }
    }

    private static ulong UnknownSlots(SourceRow row)
    {
        var unknown = 0UL;
        for (var slot = 0; slot < row.Slots; slot++)
            if (row.StateOf(slot) is ColumnState.Unchanged or ColumnState.Missing)
                unknown |= 1UL << slot;
        return unknown;
    }
}
