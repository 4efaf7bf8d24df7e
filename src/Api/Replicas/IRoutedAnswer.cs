using Cdc.Api.Engine;

namespace Cdc.Api.Replicas;

/// <summary>What decides whether a replica's answer may be given.</summary>
internal interface IRoutedAnswer
{
    /// <summary>What it is about: of none of these an answer has shown more than the replica has replayed.</summary>
    IEnumerable<AnswerSubject> Subjects { get; }

    /// <summary>How far the server was that answered; null: the answer belongs to one that was judged before.</summary>
    EngineMoment? Moment { get; }

    /// <summary>False: something is missing in it that the engine may have.</summary>
    bool IsComplete { get; }
}
