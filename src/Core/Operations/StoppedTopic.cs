using Cdc.Core.Entities;

namespace Cdc.Core.Operations;

/// <summary>
/// A topic to which nothing is applied, since its tables are stopped. The stream passes by its changes and is not behind because of them: how
/// far the stream is says nothing of these tables.
/// </summary>
/// <param name="At">Since when, by the engine's clock.</param>
/// <param name="Seconds">For how long by now.</param>
public sealed record StoppedTopic(DateTimeOffset At, double Seconds)
{
    /// <summary>Where each entity is a topic of its own; null: it is not stopped.</summary>
    public static IEnumerable<(EntityDeclaration Entity, StoppedTopic? Stopped)> OfEach(
        EntitySet entities,
        IReadOnlyList<EntityStatus> tables
    ) => entities.All.Select(e => (e, Of([.. tables.Where(t => t.Entity == e.Name)])));

    /// <param name="tables">Those that the topic feeds.</param>
    /// <returns>Null: changes of some of them are applied.</returns>
    public static StoppedTopic? Of(IReadOnlyCollection<EntityStatus> tables) =>
        tables.Count > 0 && tables.All(t => t is { StoppedAt: not null, StoppedSeconds: not null })
            ? tables.Select(t => new StoppedTopic(t.StoppedAt!.Value, t.StoppedSeconds!.Value)).MinBy(t => t.At)
            : null;
}
