using System.Text.Json;
using Cdc.Odoo.Failures;

namespace Cdc.Odoo.Calls;

/// <summary>
/// The answer of <c>load</c>. It never fails for data: HTTP 200 with <c>ids: false</c> is the failure, and the messages say why. A conflict
/// of transactions is such a message too, and is not repeated by Odoo.
/// </summary>
internal static class LoadAnswer
{
    private const int TextsInMessage = 3;

    public static IReadOnlyList<long> Read(OdooCall call, int rows, JsonElement? answer)
    {
        var facts = new CallFacts(call.Name, call.MayBeRepeated);
        if (answer is not { ValueKind: JsonValueKind.Object } json || !json.TryGetProperty("ids", out var ids))
            throw new OdooException(PageTable.Unreadable("answered without ids."), facts);
        if (ids.ValueKind == JsonValueKind.Array && ids.GetArrayLength() == rows)
            return [.. ids.EnumerateArray().Select(i => i.GetInt64())];
        IReadOnlyList<LoadMessage> messages = json.TryGetProperty("messages", out var list)
            ? [.. list.EnumerateArray().Select(LoadMessage.Read).Where(m => m.IsError)]
            : [];
        if (messages.Count == 0)
            throw new OdooException(PageTable.Unreadable("answered with other ids than one a row."), facts);
        throw new OdooException(Failure(messages), facts, messages);
    }

    private static OdooFailure Failure(IReadOnlyList<LoadMessage> messages)
    {
        var texts = messages.Select(m => new OdooError("", m.Text, 200).Text).Distinct(StringComparer.Ordinal).Take(TextsInMessage);
        var text = string.Join("; ", texts);
        return messages.Any(m => PostgresErrors.IsConcurrency(m.Text))
            ? new OdooFailure("odoo-busy", FailureClass.Transient, $"gave up for now: {text}.", Remedies.Wait)
            : new OdooFailure("odoo-refused", FailureClass.Refused, $"refused it: {text}.", Remedies.Refused);
    }
}
