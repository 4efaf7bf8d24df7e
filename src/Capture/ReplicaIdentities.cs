using Cdc.Capture.Source;
using Cdc.Capture.Tables;
using Cdc.Core.Entities;

namespace Cdc.Capture;

/// <summary>What the source sends of a row's old state.</summary>
public static class ReplicaIdentities
{
    /// <returns>The declared tables (<see cref="EntityDeclaration.SourceName"/>) whose old rows come whole: REPLICA IDENTITY FULL.</returns>
    /// <exception cref="Cdc.Core.Failures.CdcException">The source cannot be asked; typed, with its remedy.</exception>
    public static Task<IReadOnlySet<string>> FullAsync(SourceOptions options, EntitySet entities, CancellationToken ct) =>
        SourceFailure.GuardAsync<IReadOnlySet<string>>(async () =>
        {
            await using var connection = await SourceConnection.OpenAsync(options, ct);
            var catalog = await CatalogReader.ReadAsync(connection, options.Publication, entities.All, ct);
            return catalog
                .Tables.Where(t => t.Table is { Identity: 'f' })
                .Select(t => t.Entity.SourceName)
                .ToHashSet(StringComparer.Ordinal);
        });
}
