using Cdc.Core.Changes;

namespace Cdc.Api.Replicas;

/// <summary>
/// How much of the engine's WAL the answers about each subject may have shown: a replica that has replayed less might take something back.
/// Many subjects share a place, which refuses a replica now and then for nothing, and never forgets.
/// </summary>
internal sealed class AnswerFloors
{
    /// <summary>Half a MiB.</summary>
    private const int Places = 1 << 16;

    private readonly ulong[] _written = new ulong[Places];

    public void Raise(IEnumerable<AnswerSubject> subjects, Lsn written)
    {
        foreach (var subject in subjects)
        {
            ref var floor = ref FloorOf(subject);
            for (var there = Volatile.Read(ref floor); there < written.Value; there = Volatile.Read(ref floor))
                Interlocked.CompareExchange(ref floor, written.Value, there);
        }
    }

    public bool Allow(IEnumerable<AnswerSubject> subjects, Lsn replayed) =>
        subjects.All(s => Volatile.Read(ref FloorOf(s)) <= replayed.Value);

    private ref ulong FloorOf(AnswerSubject subject) => ref _written[(uint)subject.Hash % Places];
}

/// <summary>What an answer is about.</summary>
internal readonly record struct AnswerSubject(int Hash)
{
    public static AnswerSubject Card(long id) => new(HashCode.Combine('c', id));

    public static AnswerSubject Code(string normalized) => new(HashCode.Combine('t', normalized));

    public static AnswerSubject Partner(long id) => new(HashCode.Combine('p', id));
}
