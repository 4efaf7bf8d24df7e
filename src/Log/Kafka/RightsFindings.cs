using Cdc.Core.Failures;

namespace Cdc.Log.Kafka;

/// <summary>What <c>cdc topics check</c> says of rights: those that it needs itself are errors, those of other commands warnings.</summary>
public sealed class RightsFindings(KafkaClients clients, TopicPlan plan)
{
    private const string Code = "topic-rights";

    /// <param name="described">All topics of the plan.</param>
    public async Task<IReadOnlyList<Finding>> FindAsync(IReadOnlyList<DescribedTopic> described, CancellationToken ct)
    {
        List<KafkaRight> own = [.. described.Select(t => t.Lacks).OfType<KafkaRight>()];
        List<Finding> found = [];
        if (own.Count > 0)
            found.Add(Finding(isError: true, own, "The check needs them"));
        var hidden = own.Where(r => r.Operation == KafkaOperation.Describe).Select(r => r.Name).ToHashSet();
        foreach (var (role, command) in ((KafkaRole, string)[])[(KafkaRole.Capture, "cdc capture"), (KafkaRole.Apply, "cdc apply")])
        {
            var needed = LeastRights.Of(role, clients, plan).Where(r => !hidden.Contains(r.Name)).ToList();
            if (await new RightsCheck(clients).MissingAsync(needed, ct) is { Count: > 0 } missing)
                found.Add(Finding(isError: false, missing, $"'{command}' needs them, if it has the same user"));
        }
        return found;
    }

    private Finding Finding(bool isError, IReadOnlyList<KafkaRight> rights, string why)
    {
        var denied = clients.Denied(rights, null);
        return new Finding(Code, isError, $"{denied.Message} {why}.", denied.Remedy);
    }
}
