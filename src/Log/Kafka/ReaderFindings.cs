using Cdc.Core.Entities;
using Cdc.Core.Failures;

namespace Cdc.Log.Kafka;

/// <summary>A reader of the topics that is not ours.</summary>
public enum TopicReader
{
    /// <summary>A sink of Kafka Connect.</summary>
    Connect,

    /// <summary>Flink SQL, format debezium-avro-confluent.</summary>
    Flink,
}

/// <summary>What of the declaration, the source's tables and the settings hurts a reader of the topics (docs/readers.md).</summary>
/// <param name="full">Source tables (<see cref="EntityDeclaration.SourceName"/>) with REPLICA IDENTITY FULL; null: not known.</param>
public sealed class ReaderFindings(TopicReader reader, KafkaOptions options, EntitySet entities, IReadOnlySet<string>? full)
{
    private static readonly SourceType[] MayBeLarge = [SourceType.Text, SourceType.Json, SourceType.Bytes];

    /// <returns>Warnings: our own reading is exact whatever they say.</returns>
    public IReadOnlyList<Finding> Find() =>
        [
            .. OfTruncates(),
            .. entities.All.GroupBy(e => e.SourceName).SelectMany(t => OfTable(t.Key, [.. t.SelectMany(e => e.SourceColumns)])),
            .. OfRereads(),
        ];

    private IEnumerable<Finding> OfTable(string table, IReadOnlyList<SourceColumn> columns) =>
        reader == TopicReader.Connect
            ? [.. OfLargeValues(table, columns), .. OfNumerics(table, columns)]
            : [.. OfOldRows(table), .. OfTimestamps(table, columns), .. OfNumerics(table, columns)];

    private IEnumerable<Finding> OfTruncates()
    {
        if (options.Truncates == TruncateRecords.Record)
            yield return Warning(
                "reader-truncate",
                reader == TopicReader.Flink
                    ? "A TRUNCATE is a record with op t (Kafka:Truncates=Record): the job fails at it."
                    : "A TRUNCATE is a record in every partition (Kafka:Truncates=Record): a sink with truncate.enabled=true empties its table "
                        + "at each, rows that were inserted since among them; without it, and behind ExtractNewRecordState, the rows stay.",
                "Kafka:Truncates=Deletes: every key of the table ends with a delete and a tombstone."
            );
    }

    private IEnumerable<Finding> OfLargeValues(string table, IReadOnlyList<SourceColumn> columns)
    {
        if (full?.Contains(table) != false || Named(columns, MayBeLarge) is not { Length: > 0 } large)
            yield break;
        var json = Named(columns, SourceType.Json);
        yield return Warning(
            "reader-unchanged",
            $"{table}: an update does not send large values that it leaves unchanged ({large}): a sink overwrites them with "
                + $"__debezium_unavailable_value{(json.Length > 0 ? $", and stops at json ({json})" : "")}.",
            Full(table)
        );
    }

    private IEnumerable<Finding> OfOldRows(string table)
    {
        if (full?.Contains(table) == false)
            yield return Warning(
                "reader-identity",
                $"{table}: updates come without the old row, and the job fails at the first one.",
                Full(table)
            );
    }

    private IEnumerable<Finding> OfTimestamps(string table, IReadOnlyList<SourceColumn> columns)
    {
        if (options.Timestamps == Records.TimestampUnit.Micros && Named(columns, SourceType.Timestamp) is { Length: > 0 } timestamps)
            yield return Warning(
                "reader-timestamp",
                $"{table}: {timestamps} are microseconds; TIMESTAMP(3) takes them for milliseconds (the year 57974).",
                "Declare them as BIGINT in Flink, and TO_TIMESTAMP_LTZ(column / 1000, 3); or, for topics that have no records yet, "
                    + "set Kafka:Timestamps=Millis."
            );
    }

    private IEnumerable<Finding> OfNumerics(string table, IReadOnlyList<SourceColumn> columns)
    {
        if (Named(columns, SourceType.Numeric) is { Length: > 0 } numerics)
            yield return Warning(
                "reader-numeric",
                $"{table}: {numerics}, where they have no precision in Odoo, are records of scale and bytes.",
                reader == TopicReader.Flink
                    ? "Declare them as ROW<`scale` INT, `value` BYTES> in Flink, or read them elsewhere."
                    : "Tables that Debezium's JDBC sink makes have double precision there: make them yourself, with numeric."
            );
    }

    private IEnumerable<Finding> OfRereads()
    {
        if (reader == TopicReader.Flink)
            yield return Warning(
                "reader-read-again",
                "Rows that are read again (op r) come a second time, and deletes by a truncate have no old row: sums are wrong, without an error.",
                "Declare PRIMARY KEY (…) NOT ENFORCED, and SET 'table.exec.source.cdc-events-duplicate' = 'true'."
            );
    }

    private static string Named(IReadOnlyList<SourceColumn> columns, params SourceType[] types) =>
        string.Join(", ", columns.Where(c => types.Contains(c.Type)).Select(c => c.Name).Distinct());

    private static string Full(string table) =>
        $"ALTER TABLE {table} REPLICA IDENTITY FULL; -- in Odoo's database: each update and delete then writes the whole old row to its WAL";

    private static Finding Warning(string code, string message, string remedy) => new(code, IsError: false, message, remedy);
}
