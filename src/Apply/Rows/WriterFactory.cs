using Cdc.Core.Entities;
using Cdc.Expressions.Rows;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Cdc.Apply.Rows;

/// <summary>Writers for connections, sharing what one session knows of the engine.</summary>
internal sealed class WriterFactory(EntitySet entities, EngineKnowledge knowledge, ILogger log)
{
    public async Task<BatchWriter> CreateAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var writers = new List<EntityWriter>(entities.Count);
        foreach (var entity in entities.All)
        {
            var writer = new EntityWriter(entities, RowTransform.Compile(entity), connection, knowledge.Entries, knowledge.Highest, log);
            await writer.PrepareAsync(ct);
            writers.Add(writer);
        }
        return new BatchWriter(entities, writers, connection);
    }
}
