using Cdc.Core.Entities;
using Cdc.Log.Records;
using Cdc.Log.Registry;
using Npgsql;

namespace Cdc.Pipeline.Sessions;

/// <summary>How the records of the Kafka log are written: Avro, with the schema registry that the configuration names.</summary>
public static class TopicCodec
{
    /// <param name="engine">Keeps the built-in registry.</param>
    /// <param name="version">Of the program, which each record names.</param>
    /// <exception cref="Core.Failures.CdcException">Configuration: the declared tables do not have distinct topics.</exception>
    public static IRecordCodec Create(PipelineOptions options, EntitySet entities, NpgsqlDataSource engine, string version) =>
        new AvroRecordCodec(
            entities,
            options.Kafka.TopicPrefix,
            new NpgsqlConnectionStringBuilder(options.Source.ConnectionString).Database ?? "",
            version,
            SchemaClients.For(options.Registry, engine),
            TimeProvider.System
        )
        {
            Timestamps = options.Kafka.Timestamps,
        };
}
