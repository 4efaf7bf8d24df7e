using Cdc.Core.Changes;
using Cdc.Log.Kafka;
using Xunit;

namespace Cdc.Tests.Unit.Log.Kafka;

public sealed class ControlRecordTests
{
    [Fact]
    public void What_was_written_reads_back()
    {
        var record = new ControlRecord(
            7,
            3,
            new Lsn(0x16_B374D848),
            ulong.MaxValue,
            new Lsn(9),
            -5,
            new Dictionary<string, long> { ["odoo.public.loyalty_card/0"] = 17, ["t/1"] = 0 }
        );
        var read = ControlRecord.FromJson(record.ToJson());
        Assert.Equal(record with { Vector = read!.Vector }, read);
        Assert.Equal(record.Vector, read.Vector);
        record = record with
        {
            ByValue = new HashSet<string> { "odoo.public.loyalty_card", "t" },
        };
        Assert.Equal(record.ByValue, ControlRecord.FromJson(record.ToJson())!.ByValue);
    }

    [Fact]
    public void A_record_of_an_earlier_version_names_no_topic_whose_partitions_come_of_the_value()
    {
        var record = ControlRecord.FromJson(
            """{"session":7,"generation":1,"written":"0/1","lastXid":1,"lastCommitLsn":"0/0","lastCommitMicros":0,"vector":{"t/0":3}}"""u8
        );
        Assert.Equal(7, record!.Session);
        Assert.Empty(record.ByValue);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("garbage")]
    [InlineData("""{"session":1,"generation":1,"written":"no LSN","lastCommitLsn":"0/0","vector":{}}""")]
    public void What_is_no_such_record_is_none(string text) =>
        Assert.Null(ControlRecord.FromJson(System.Text.Encoding.UTF8.GetBytes(text)));
}
