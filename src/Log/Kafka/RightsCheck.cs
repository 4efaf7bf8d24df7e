using Cdc.Core.Failures;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Cdc.Log.Kafka;

/// <summary>
/// Asks the brokers what this user may do on topics, so that a right that is missing is named before anything is done. Of groups and
/// transactional ids the brokers do not say; what is refused there names itself.
/// </summary>
public sealed class RightsCheck(KafkaClients clients)
{
    private static readonly TimeSpan Answer = TimeSpan.FromSeconds(10);

    /// <summary>Of sessions, which begin again after each outage.</summary>
    private static readonly TimeSpan SoonAnswer = TimeSpan.FromSeconds(2);

    /// <summary>
    /// The cluster's controller answers, which a session does not need otherwise: where it is away, nothing is known here, and what is
    /// refused names itself. A client without an identity has no rights of its own, and does not wait for the answer.
    /// </summary>
    /// <exception cref="CdcException">Preflight: some are missing; the remedy gives all of them.</exception>
    public async Task RequireAsync(IReadOnlyList<KafkaRight> needed, CancellationToken ct)
    {
        if (!clients.HasIdentity)
            return;
        IReadOnlyList<KafkaRight> missing;
        try
        {
            missing = await MissingAsync(needed, SoonAnswer, ct);
        }
        catch (KafkaException e) when (e.Error.Code is ErrorCode.Local_TimedOut)
        {
            return;
        }
        if (missing.Count > 0)
            throw clients.Denied(missing, null);
    }

    /// <returns>Those on topics that exist. None where brokers do not say (before 2.3).</returns>
    public Task<IReadOnlyList<KafkaRight>> MissingAsync(IReadOnlyList<KafkaRight> needed, CancellationToken ct) =>
        MissingAsync(needed, Answer, ct);

    private async Task<IReadOnlyList<KafkaRight>> MissingAsync(IReadOnlyList<KafkaRight> needed, TimeSpan answer, CancellationToken ct)
    {
        var ofTopics = needed.Where(r => r.Resource == KafkaResource.Topic).ToList();
        if (!clients.CanAdministerTopics || ofTopics.Count == 0)
            return [];
        var allowed = await AllowedAsync([.. ofTopics.Select(r => r.Name).Distinct()], answer, ct);
        return [.. ofTopics.Where(r => allowed.TryGetValue(r.Name, out var operations) && !operations.Contains(r.Operation))];
    }

    /// <summary>By topic; one that is not here does not exist, or the brokers do not say.</summary>
    private async Task<Dictionary<string, HashSet<KafkaOperation>>> AllowedAsync(
        IReadOnlyList<string> topics,
        TimeSpan answer,
        CancellationToken ct
    )
    {
        using var admin = clients.Admin();
        List<TopicDescription> described;
        try
        {
            described = (
                await admin
                    .DescribeTopicsAsync(
                        TopicCollection.OfTopicNames(topics),
                        new DescribeTopicsOptions { RequestTimeout = answer, IncludeAuthorizedOperations = true }
                    )
                    .WaitAsync(ct)
            ).TopicDescriptions;
        }
        catch (DescribeTopicsException partly)
        {
            described = partly.Results.TopicDescriptions;
        }
        catch (KafkaException e) when (e.Error.Code is ErrorCode.Local_UnsupportedFeature or ErrorCode.UnsupportedVersion)
        {
            return [];
        }
        return described
            .Select(t => (t.Name, Operations: Of(t)))
            .Where(t => t.Operations is not null)
            .ToDictionary(t => t.Name, t => t.Operations!);
    }

    private static HashSet<KafkaOperation>? Of(TopicDescription topic) =>
        topic.Error.Code switch
        {
            ErrorCode.TopicAuthorizationFailed => [],
            // A user that may see a topic may at least describe it: an empty list is no answer.
            ErrorCode.NoError when topic.AuthorizedOperations is { Count: > 0 } operations => Including(operations),
            _ => null,
        };

    private static HashSet<KafkaOperation> Including(IEnumerable<AclOperation> operations)
    {
        var included = new HashSet<KafkaOperation>();
        foreach (var operation in operations)
            if (Enum.TryParse<KafkaOperation>(operation.ToString(), out var known))
                included.Add(known);
        return included;
    }
}
