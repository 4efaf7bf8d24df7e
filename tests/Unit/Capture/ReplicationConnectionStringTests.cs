using Cdc.Capture;
using Cdc.Capture.Stream;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Unit.Capture;

public sealed class ReplicationConnectionStringTests
{
    [Fact]
    public void Settings_are_added_to_those_that_were_given()
    {
        var text = Of(
            new SourceOptions
            {
                ConnectionString = "Host=h;Options=-c statement_timeout=0;Application Name=mine",
                LogicalDecodingWorkMem = "64 MB",
            }
        );
        Assert.Equal("-c statement_timeout=0 -c logical_decoding_work_mem=64\\ MB -c wal_sender_timeout=60000", text.Options);
        Assert.Equal(("mine", 65536), (text.ApplicationName, text.ReadBufferSize));
    }

    [Fact]
    public void Status_goes_out_several_times_within_the_senders_patience()
    {
        var timeouts = ReplicationTimeouts.Default;
        Assert.True(timeouts.StatusInterval * 4 <= timeouts.Sender);
    }

    private static NpgsqlConnectionStringBuilder Of(SourceOptions options) =>
        new(ReplicationConnectionString.For(options, ReplicationTimeouts.Default));
}
