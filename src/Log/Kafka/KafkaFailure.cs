using System.Globalization;
using Cdc.Core.Failures;
using Confluent.Kafka;

namespace Cdc.Log.Kafka;

/// <summary>What a failure of Kafka means, decided by its code alone.</summary>
public static class KafkaFailure
{
    internal const string Accept =
        "Check with 'cdc topics describe'; accept it and read everything again with 'cdc slot reset' (ops/runbooks/kafka.md).";

    /// <summary>Typed, with its remedy; null if Kafka has nothing to do with it.</summary>
    public static CdcException? Explain(Exception e) =>
        e switch
        {
            KafkaException kafka => Of(kafka.Error, kafka),
            DllNotFoundException => new CdcException(
                FailureKind.Preflight,
                "librdkafka, Kafka's client library, cannot be loaded on this machine.",
                "Publish the program for this machine's system and processor ('dotnet publish -r RID', docs/kafka.md): "
                    + "the library comes with it.",
                e
            ),
            _ => null,
        };

    /// <summary>A partition goes on, or ends, below what the brokers had acknowledged of it.</summary>
    internal static DeclaredGapException Behind(string partition, long offset, long acknowledged) =>
        new(
            GapKinds.LogBehind,
            $"Partition {partition} is at offset {offset}; the brokers had acknowledged it up to {acknowledged}, and have lost records.",
            Accept
        );

    /// <summary>A record that client or brokers refuse for its size.</summary>
    /// <param name="largest">Of those that were on their way: they do not say which one they mean.</param>
    internal static CdcException TooLarge(string topic, LargeRecord? largest, Exception inner) =>
        new(
            FailureKind.Preflight,
            string.Create(
                CultureInfo.InvariantCulture,
                $"A row is larger than topic {topic} takes: {(largest?.Row is { } key ? $"that of key {key}" : "a record")} has {largest?.Bytes:#,0} bytes."
            ),
            string.Create(
                CultureInfo.InvariantCulture,
                $"Let the topic take it: kafka-configs.sh --alter --entity-type topics --entity-name {topic} --add-config max.message.bytes={Room(largest)}"
                    + $", and set CDC__Kafka__Client__message_max_bytes={Room(largest)} (ops/runbooks/kafka.md)."
            ),
            inner
        );

    /// <summary>With what comes around it, and for the row to grow.</summary>
    private static long Room(LargeRecord? largest) => Math.Min(1_000_000_000L, 2L * Math.Max(largest?.Bytes ?? 0, 1_000_000) + 65_536);

    internal static bool IsLogin(ErrorCode code) =>
        code
            is ErrorCode.SaslAuthenticationFailed
                or ErrorCode.Local_Authentication
                or ErrorCode.UnsupportedSaslMechanism
                or ErrorCode.IllegalSaslState;

    internal static bool IsFenced(ErrorCode code) =>
        code is ErrorCode.ProducerFenced or ErrorCode.Local_Fenced or ErrorCode.InvalidProducerEpoch;

    internal static CdcException Of(Error error, Exception? inner = null) =>
        error.Code switch
        {
            ErrorCode.OffsetOutOfRange or ErrorCode.Local_AutoOffsetReset => new DeclaredGapException(
                GapKinds.LogLost,
                $"Records that were not applied are gone from the log: {error.Reason}. Retention removed them, or the topic was made anew.",
                "Check with 'cdc topics describe'; then read everything again with 'cdc slot reset' (ops/runbooks/kafka.md)."
            ),
            ErrorCode.MsgSizeTooLarge or ErrorCode.InvalidMsgSize => new CdcException(
                FailureKind.Preflight,
                $"A row is larger than the brokers take: {error.Reason}.",
                "Raise max.message.bytes of its topic (and replica.fetch.max.bytes of the brokers), "
                    + "and set CDC__Kafka__Client__message_max_bytes to the same.",
                inner
            ),
            ErrorCode.InvalidTimestamp => new CdcException(
                FailureKind.Preflight,
                $"The brokers refuse a record's time, which is that of this host's clock: {error.Reason}.",
                "Set this host's clock, or let the brokers give records their time: kafka-configs.sh --alter --entity-type topics "
                    + $"--entity-name TOPIC --add-config {TopicPlan.Timestamps}={TopicPlan.BrokersTime} ('cdc topics check' names the topics).",
                inner
            ),
            ErrorCode.TopicAuthorizationFailed or ErrorCode.GroupAuthorizationFailed or ErrorCode.ClusterAuthorizationFailed =>
                new CdcException(
                    FailureKind.Preflight,
                    $"Kafka does not allow this program what it asks for: {error.Reason}.",
                    "'cdc topics check' names rights on topics that are missing; 'cdc grants kafka --principal User:NAME' prints all that cdc needs.",
                    inner
                ),
            _ when IsLogin(error.Code) => new CdcException(
                FailureKind.Configuration,
                $"Kafka refuses the login: {error.Reason}.",
                "Correct CDC__Kafka__Client__sasl_username, …sasl_password and …sasl_mechanism, or the user in Kafka (docs/kafka.md).",
                inner
            ),
            ErrorCode.TransactionalIdAuthorizationFailed => new CdcException(
                FailureKind.Preflight,
                $"Kafka does not let this program use its transactional ids: {error.Reason}.",
                "Allow its user Describe and Write on them (kafka-acls.sh --transactional-id; "
                    + "they are the topic prefix and '.cdc.capture', and the same with '.2'), or name one that it may use in CDC__Kafka__Client__transactional_id "
                    + "(ops/runbooks/kafka.md).",
                inner
            ),
            ErrorCode.InvalidTransactionTimeout => new CdcException(
                FailureKind.Configuration,
                $"The brokers do not let a transaction be open for so long: {error.Reason}.",
                "Set CDC__Kafka__Client__transaction_timeout_ms to at most the brokers' transaction.max.timeout.ms.",
                inner
            ),
            ErrorCode.UnknownTopicOrPart or ErrorCode.Local_UnknownTopic or ErrorCode.Local_UnknownPartition => new CdcException(
                FailureKind.Preflight,
                $"A topic or partition does not exist: {error.Reason}.",
                "'cdc topics describe' names it. Run 'cdc topics create'; if it was deleted, what was in it is gone: then read everything "
                    + "again with 'cdc slot reset' (ops/runbooks/kafka.md).",
                inner
            ),
            _ when IsFenced(error.Code) => new FencedException(
                $"Another capture session writes to the log, or this one has not ended a transaction in its time: {error.Reason}."
            ),
            ErrorCode.Local_UnsupportedFeature or ErrorCode.UnsupportedVersion => new CdcException(
                FailureKind.Preflight,
                $"The brokers, or the broker version that the settings name, do not support the request: {error.Reason}.",
                "Kafka before 0.11 has its own tools for topics (kafka-topics.sh); idempotence and transactions need 0.11 (docs/kafka.md).",
                inner
            ),
            ErrorCode.Local_InvalidArg => new CdcException(
                FailureKind.Configuration,
                $"librdkafka does not take its settings: {error.Reason}.",
                "Correct CDC__Kafka__Client__… (librdkafka's CONFIGURATION.md names them all).",
                inner
            ),
            _ => new CdcException(
                FailureKind.Unavailable,
                $"Kafka is not available ({error.Code}): {error.Reason}.",
                "Nothing is lost: a running cdc tries again. Check the brokers and CDC__Kafka__BootstrapServers.",
                inner
            ),
        };
}
