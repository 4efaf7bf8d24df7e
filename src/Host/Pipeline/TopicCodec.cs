using Cdc.Core.Entities;
using Cdc.Host.Commands;
using Cdc.Host.Configuration;
using Cdc.Log.Records;
using Cdc.Log.Registry;
using Npgsql;

namespace Cdc.Host.Pipeline;

/// <summary>How the records of the Kafka log are written: Avro, with the schema registry that the configuration names.</summary>
internal static class TopicCodec
{
    /// <param name="engine">Keeps the built-in registry.</param>
    /// <exception cref="Core.Failures.CdcException">Configuration: the declared tables cannot be told apart by topics.</exception>
    public static IRecordCodec Create(CdcOptions options, EntitySet entities, NpgsqlDataSource engine) =>
        new AvroRecordCodec(
            entities,
            options.Kafka.TopicPrefix,
            new NpgsqlConnectionStringBuilder(options.Source.ConnectionString).Database ?? "",
            VersionCommand.Text,
            SchemaClients.For(options.Registry, engine),
            TimeProvider.System
        );
}
