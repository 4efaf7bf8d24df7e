using System.Net.Sockets;
using Cdc.Capture.Source;
using Cdc.Core.Failures;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Unit.Capture;

public sealed class SourceFailureTests
{
    [Theory]
    [InlineData("28P01", "source-password", false)]
    [InlineData("28000", "source-login", false)]
    [InlineData("3D000", "source-database", false)]
    [InlineData("42501", "source-privilege", false)]
    [InlineData("55006", "source-in-use", true)]
    [InlineData("53300", "source-unreachable", true)]
    [InlineData("57P01", "source-unreachable", true)]
    [InlineData("57P03", "source-unreachable", true)]
    [InlineData("08006", "source-unreachable", true)]
    [InlineData("40P01", "source-unreachable", true)]
    [InlineData("55000", "source-refused", false)]
    [InlineData("57014", "source-refused", false)]
    [InlineData("42704", "source-refused", false)]
    public void An_sqlstate_says_whether_waiting_helps(string sqlState, string code, bool retriable)
    {
        var failure = SourceFailure.Of(new PostgresException("text", "ERROR", "ERROR", sqlState))!;
        Assert.Equal((code, retriable), (failure.Code, failure.IsRetriable));
        Assert.NotEmpty(failure.Remedy);
    }

    [Fact]
    public void A_broken_connection_is_retried_and_a_defect_of_ours_is_not_the_sources()
    {
        Assert.True(SourceFailure.Of(new NpgsqlException("x", new SocketException(111)))!.IsRetriable);
        Assert.True(SourceFailure.Of(new NpgsqlException("x", new TimeoutException()))!.IsRetriable);
        Assert.Equal(FailureKind.Preflight, SourceFailure.Of(new NpgsqlException("No password has been provided"))!.Kind);
        Assert.Null(SourceFailure.Of(new InvalidDataException("x")));
        Assert.Null(SourceFailure.Of(new OperationCanceledException()));
    }
}
