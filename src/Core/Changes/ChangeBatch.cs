namespace Cdc.Core.Changes;

/// <summary>Events in order, handed over together. The writer does not touch it after it was appended.</summary>
public sealed class ChangeBatch
{
    private readonly List<ChangeEvent> _events = new(256);

    public IReadOnlyList<ChangeEvent> Events => _events;

    public int Count => _events.Count;

    /// <summary>Bytes that the events keep alive.</summary>
    public long Bytes { get; private set; }

    public void Add(ChangeEvent change)
    {
        _events.Add(change);
        Bytes += change.Bytes;
    }
}
