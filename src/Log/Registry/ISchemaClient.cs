using Cdc.Core.Failures;

namespace Cdc.Log.Registry;

/// <summary>
/// Schemas and their ids, as the writers and readers of topics need them: the built-in registry's table, or any registry that speaks
/// Confluent's protocol. Answers are cached, so an unreachable registry stops only what needs a schema not seen before.
/// </summary>
public interface ISchemaClient
{
    /// <summary>The id of the schema under this subject, which is registered if it is not yet.</summary>
    /// <exception cref="CdcException">
    /// <see cref="FailureKind.Unavailable"/>: cannot be asked for now; try again later.
    /// <see cref="FailureKind.Preflight"/>: refused, because it is not compatible with the subject's earlier ones.
    /// </exception>
    ValueTask<int> RegisterAsync(string subject, string schema, CancellationToken ct);

    /// <summary>The schema's text; null if there is none with this id.</summary>
    /// <exception cref="CdcException"><see cref="FailureKind.Unavailable"/>: cannot be asked for now; try again later.</exception>
    ValueTask<string?> FindAsync(int id, CancellationToken ct);
}
