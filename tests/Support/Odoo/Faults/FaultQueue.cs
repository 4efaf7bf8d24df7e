namespace Cdc.Tests.Support.Odoo.Faults;

/// <summary>The faults that a test has planned. Each meets the next calls of its kind, in the order in which they were planned.</summary>
public sealed class FaultQueue
{
    private readonly Lock _lock = new();
    private readonly List<Planned> _planned = [];

    /// <param name="kind">As <see cref="Http.OdooCall.Kind"/> has it; <c>MODEL/*</c> and <c>*</c> stand for any.</param>
    /// <param name="skip">So many calls of this kind pass before.</param>
    public void Plan(string kind, Fault fault, int times = 1, int skip = 0)
    {
        lock (_lock)
            _planned.Add(new Planned(kind, fault, times, skip));
    }

    /// <summary>Every call of the kind, until it is lifted.</summary>
    public void Always(string kind, Fault fault) => Plan(kind, fault, int.MaxValue);

    /// <summary>Forgets what is planned.</summary>
    public void Lift()
    {
        lock (_lock)
            _planned.Clear();
    }

    /// <summary>So many calls are still to be met.</summary>
    public long Left
    {
        get
        {
            lock (_lock)
                return _planned.Sum(p => (long)p.Times);
        }
    }

    internal Fault? Take(string kind)
    {
        lock (_lock)
        {
            foreach (var planned in _planned.Where(p => Fits(p.Kind, kind)))
            {
                if (planned.Skip-- > 0)
                    continue;
                if (planned.Times != int.MaxValue && --planned.Times == 0)
                    _planned.Remove(planned);
                return planned.Fault;
            }
            return null;
        }
    }

    private static bool Fits(string pattern, string kind) =>
        pattern.EndsWith('*') ? kind.StartsWith(pattern[..^1], StringComparison.Ordinal) : pattern == kind;

    private sealed class Planned(string kind, Fault fault, int times, int skip)
    {
        public string Kind => kind;
        public Fault Fault => fault;
        public int Times { get; set; } = times;
        public int Skip { get; set; } = skip;
    }
}
