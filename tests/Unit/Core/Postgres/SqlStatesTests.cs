using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Unit.Core.Postgres;

public sealed class SqlStatesTests
{
    [Fact]
    public void Every_SQLSTATE_of_PostgreSQL_18_has_a_class_and_is_no_defect_on_either_server()
    {
        var codes = Codes().ToList();
        Assert.True(codes.Count > 250, $"Only {codes.Count} codes were read.");
        Assert.DoesNotContain(codes, c => SqlStates.Find(c.Code) is null);
        foreach (var (code, name) in codes)
        foreach (var server in Enum.GetValues<Server>())
        {
            var failure = ServerFailure.Of(server, new PostgresException(name, "ERROR", "ERROR", code))!;
            Assert.Contains(
                failure.Kind,
                new[] { FailureKind.Unavailable, FailureKind.Configuration, FailureKind.Preflight, FailureKind.Migration }
            );
            Assert.Contains(name, failure.Message, StringComparison.Ordinal);
            Assert.NotEmpty(failure.Remedy);
        }
    }

    [Theory]
    [InlineData("ZZ999")]
    [InlineData("99")]
    [InlineData("")]
    public void A_code_that_nobody_knows_waits(string code)
    {
        Assert.Null(SqlStates.Find(code));
        Assert.Equal(SqlStateClass.Transient, SqlStates.Of(code));
        Assert.True(ServerFailure.Of(Server.Engine, new PostgresException("text", "ERROR", "ERROR", code))!.IsRetriable);
    }

    [Theory]
    [InlineData("22003")] // a number that does not fit
    [InlineData("22P05")] // a character that the engine's encoding lacks
    [InlineData("23505")]
    [InlineData("44000")] // WITH CHECK OPTION of a view
    [InlineData("54000")] // an index row that is too long
    [InlineData("P0001")] // RAISE in a trigger
    public void What_is_about_one_row_stops_no_other(string code) => Assert.True(SqlStates.IsOfRow(code));

    [Theory]
    [InlineData("42501")]
    [InlineData("40P01")]
    [InlineData("54001")]
    [InlineData("57014")]
    [InlineData("42P01")]
    public void What_is_about_more_than_a_row_puts_none_into_quarantine(string code) => Assert.False(SqlStates.IsOfRow(code));

    private static IEnumerable<(string Code, string Name)> Codes()
    {
        using var data = new StreamReader(typeof(SqlStatesTests).Assembly.GetManifestResourceStream("errcodes-18.txt")!);
        while (data.ReadLine() is { } line)
            if (!line.StartsWith('#') && line.Split(' ') is [var code, _, var name])
                yield return (code, name);
    }
}
