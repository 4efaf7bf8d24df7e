namespace Cdc.Odoo.Sequence;

/// <summary>What an installation or its removal will do, before it does it.</summary>
public sealed class SequencePlan
{
    internal SequencePlan(IReadOnlyList<SequenceStep> steps, IReadOnlyList<string> notes, long group = 0) =>
        (Steps, Notes, Group) = (steps, notes, group);

    /// <summary>In their order. None: nothing is to be done.</summary>
    public IReadOnlyList<SequenceStep> Steps { get; }

    /// <summary>What should be known before.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>The group that is there; 0: none yet.</summary>
    internal long Group { get; }
}

/// <summary>One thing that is done in Odoo.</summary>
public sealed class SequenceStep
{
    private readonly Func<SequenceIds, CancellationToken, Task> _act;

    internal SequenceStep(string text, Func<SequenceIds, CancellationToken, Task> act) => (Text, _act) = (text, act);

    /// <summary>Such as "create the group …".</summary>
    public string Text { get; }

    internal Task DoAsync(SequenceIds ids, CancellationToken ct) => _act(ids, ct);
}

/// <summary>What earlier steps have made, and later ones name.</summary>
internal sealed class SequenceIds
{
    public long Group { get; set; }
}
