using Cdc.Core.Entities;
using Cdc.Host.Configuration;
using Cdc.Log.Records;
using Npgsql;

namespace Cdc.Host.Pipeline;

internal static class TopicCodec
{
    public static IRecordCodec Create(CdcOptions options, EntitySet entities, NpgsqlDataSource engine) => throw new NotSupportedException($"{options} {entities} {engine}");
}
