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
                ConnectionString = "Host=h;Options=-c statement_timeout=5;Client Encoding=LATIN1;Application Name=mine",
                LogicalDecodingWorkMem = "64 MB",
            }
        );
        Assert.StartsWith("-c statement_timeout=5 -c row_security=off ", text.Options, StringComparison.Ordinal);
        // Of two, the server takes the last.
        Assert.EndsWith(
            " -c extra_float_digits=1 -c logical_decoding_work_mem=64\\ MB -c wal_sender_timeout=60000",
            text.Options,
            StringComparison.Ordinal
        );
        Assert.Contains(" -c statement_timeout=0 ", text.Options, StringComparison.Ordinal);
        Assert.Contains(" -c default_transaction_isolation=read\\ committed ", text.Options, StringComparison.Ordinal);
        Assert.Equal("UTF8", text.ClientEncoding);
        Assert.Equal(("mine", 65536), (text.ApplicationName, text.ReadBufferSize));
    }

    [Theory]
    [InlineData(14, false)]
    [InlineData(17, true)]
    public void A_server_gets_only_settings_that_it_has(int version, bool hasTransactionTimeout) =>
        Assert.Equal(
            hasTransactionTimeout,
            Of(new SourceOptions { ConnectionString = "Host=h" }, version)
                .Options!.Contains("-c transaction_timeout=0", StringComparison.Ordinal)
        );

    [Fact]
    public void Status_goes_out_several_times_within_the_senders_patience()
    {
        var timeouts = ReplicationTimeouts.Default;
        Assert.True(timeouts.StatusInterval * 4 <= timeouts.Sender);
    }

    [Theory]
    [InlineData("UTF8", "UTF8")]
    [InlineData("LATIN1", "UTF8")]
    // Else the server would refuse to send what is not UTF-8, and the stream would end there.
    [InlineData("SQL_ASCII", "SQL_ASCII")]
    public void A_server_without_an_encoding_sends_bytes(string server, string client)
    {
        var options = new SourceOptions { ConnectionString = "Host=h" };
        var replicated = new ReplicatedServer(new Version(14, 0), server);
        var text = ReplicationConnectionString.For(options, ReplicationTimeouts.Default, replicated);
        Assert.Equal(client, new NpgsqlConnectionStringBuilder(text).ClientEncoding);
    }

    private static NpgsqlConnectionStringBuilder Of(SourceOptions options, int version = 14) =>
        new(ReplicationConnectionString.For(options, ReplicationTimeouts.Default, new ReplicatedServer(new Version(version, 0))));
}
