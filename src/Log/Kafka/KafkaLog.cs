using Microsoft.Extensions.Logging;

namespace Cdc.Log.Kafka;

internal static partial class KafkaLog
{
    [LoggerMessage(500, LogLevel.Warning, "Kafka: {Code}: {Reason}. The client goes on trying")]
    public static partial void ClientError(ILogger log, string code, string reason);

    [LoggerMessage(501, LogLevel.Debug, "librdkafka {Facility}: {Message}")]
    public static partial void ClientMessage(ILogger log, string facility, string message);

    [LoggerMessage(
        502,
        LogLevel.Information,
        "Log session {Session} begins: {Partitions} partitions, acknowledged through {Lsn}, transactional ids: "
            + "{TransactionalIds}, idempotent: {Idempotent}"
    )]
    public static partial void SessionBegins(
        ILogger log,
        long session,
        int partitions,
        Core.Changes.Lsn lsn,
        string transactionalIds,
        bool idempotent
    );

    [LoggerMessage(503, LogLevel.Information, "Partitions assigned: {Partitions}")]
    public static partial void Assigned(ILogger log, string partitions);

    [LoggerMessage(504, LogLevel.Information, "Partitions revoked: {Partitions}")]
    public static partial void Revoked(ILogger log, string partitions);

    [LoggerMessage(
        505,
        LogLevel.Warning,
        "Partition {Partition}: the record at offset {Offset}, of a generation that has ended, is passed over, as are others like it: {Reason}"
    )]
    public static partial void UnreadablePassed(ILogger log, LogPartition partition, long offset, string reason);
}
