using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Log.Kafka;
using Cdc.Log.Records;
using Cdc.Tests.Support.Records;
using Xunit;

namespace Cdc.Tests.Unit.Log.Kafka;

public sealed class ReaderFindingsTests
{
    private const string Table = "public.sample";

    private static readonly EntitySet Entities = new SampleTable().Entities;

    [Fact]
    public void A_sink_hears_of_large_values_that_updates_leave_out_and_of_numerics()
    {
        var findings = Find(TopicReader.Connect, new KafkaOptions(), []);
        Assert.Equal(["reader-unchanged", "reader-numeric"], findings.Select(f => f.Code));
        Assert.Contains("(t, v, j, bin, jb)", findings[0].Message, StringComparison.Ordinal);
        Assert.Contains("stops at json (j, jb)", findings[0].Message, StringComparison.Ordinal);
        Assert.StartsWith($"ALTER TABLE {Table} REPLICA IDENTITY FULL;", findings[0].Remedy, StringComparison.Ordinal);
        Assert.All(findings, f => Assert.False(f.IsError));
    }

    [Fact]
    public void Flink_hears_of_old_rows_that_do_not_come_of_the_unit_of_timestamps_and_of_rows_that_are_read_again() =>
        Assert.Equal(
            ["reader-identity", "reader-timestamp", "reader-numeric", "reader-read-again"],
            Find(TopicReader.Flink, new KafkaOptions(), []).Select(f => f.Code)
        );

    [Fact]
    public void What_the_settings_and_the_table_have_right_is_not_named()
    {
        var options = new KafkaOptions { Timestamps = TimestampUnit.Millis };
        Assert.Equal(["reader-numeric"], Find(TopicReader.Connect, options, [Table]).Select(f => f.Code));
        Assert.Equal(["reader-numeric", "reader-read-again"], Find(TopicReader.Flink, options, [Table]).Select(f => f.Code));
    }

    [Theory]
    [InlineData(TopicReader.Connect)]
    [InlineData(TopicReader.Flink)]
    public void Truncates_as_records_hurt_both(TopicReader reader) =>
        Assert.Equal("reader-truncate", Find(reader, new KafkaOptions { Truncates = TruncateRecords.Record }, [Table])[0].Code);

    [Fact]
    public void Where_the_source_could_not_be_asked_nothing_is_said_of_its_tables() =>
        Assert.Equal(
            ["reader-numeric"],
            new ReaderFindings(TopicReader.Connect, new KafkaOptions(), Entities, full: null).Find().Select(f => f.Code)
        );

    private static IReadOnlyList<Finding> Find(TopicReader reader, KafkaOptions options, string[] full) =>
        new ReaderFindings(reader, options, Entities, full.ToHashSet()).Find();
}
