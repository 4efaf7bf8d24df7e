using System.Net.Sockets;
using System.Security.Authentication;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Unit.Core.Postgres;

public sealed class ServerFailureTests
{
    [Theory]
    [InlineData("28P01", "password", FailureKind.Configuration)]
    [InlineData("28000", "login", FailureKind.Configuration)]
    [InlineData("3D000", "database", FailureKind.Configuration)]
    [InlineData("55P02", "setting", FailureKind.Configuration)]
    [InlineData("42501", "privilege", FailureKind.Preflight)]
    [InlineData("0A000", "feature", FailureKind.Preflight)]
    [InlineData("55000", "refused", FailureKind.Preflight)]
    [InlineData("55006", "in-use", FailureKind.Unavailable)]
    [InlineData("25006", "read-only", FailureKind.Unavailable)]
    [InlineData("25P03", "ended", FailureKind.Unavailable)]
    [InlineData("25P04", "ended", FailureKind.Unavailable)]
    [InlineData("57P05", "ended", FailureKind.Unavailable)]
    [InlineData("53300", "connections", FailureKind.Unavailable)]
    [InlineData("57014", "busy", FailureKind.Unavailable)]
    [InlineData("55P03", "busy", FailureKind.Unavailable)]
    [InlineData("40P01", "busy", FailureKind.Unavailable)]
    [InlineData("53100", "busy", FailureKind.Unavailable)]
    [InlineData("58P01", "busy", FailureKind.Unavailable)]
    [InlineData("XX000", "busy", FailureKind.Unavailable)]
    [InlineData("22023", "refused", FailureKind.Unavailable)]
    [InlineData("XX001", "damaged", FailureKind.Unavailable)]
    [InlineData("57P01", "unreachable", FailureKind.Unavailable)]
    [InlineData("57P03", "unreachable", FailureKind.Unavailable)]
    [InlineData("08006", "unreachable", FailureKind.Unavailable)]
    public void A_code_means_the_same_on_both_servers(string sqlState, string code, FailureKind kind)
    {
        var source = ServerFailure.Of(Server.Source, Answer(sqlState))!;
        var engine = ServerFailure.Of(Server.Engine, Answer(sqlState))!;
        Assert.Equal(($"source-{code}", kind), (source.Code, source.Kind));
        Assert.Equal(($"engine-{code}", kind), (engine.Code, engine.Kind));
        Assert.Equal(source.Message, engine.Message.Replace("engine", "source", StringComparison.Ordinal));
        Assert.Equal(kind, source.ToFinding().Kind);
    }

    [Theory]
    [InlineData("42P01")]
    [InlineData("42703")]
    [InlineData("42883")]
    [InlineData("3F000")]
    public void What_is_not_there_is_a_migration_on_the_engine_and_preflight_on_the_source(string sqlState)
    {
        Assert.Equal(FailureKind.Preflight, ServerFailure.Of(Server.Source, Answer(sqlState))!.Kind);
        var engine = ServerFailure.Of(Server.Engine, Answer(sqlState))!;
        Assert.Equal(
            (FailureKind.Migration, "Run 'cdc migrate'. Where it has nothing to do, 'cdc check' names what is missing."),
            (engine.Kind, engine.Remedy)
        );
    }

    [Fact]
    public void A_full_server_is_named_as_what_it_is()
    {
        var failure = ServerFailure.Of(Server.Engine, Answer("53300", "too many connections for role \"cdc\""))!;
        Assert.Equal("The engine has no free connection: too many connections for role \"cdc\".", failure.Message);
        Assert.Contains("max_connections", failure.Remedy, StringComparison.Ordinal);
        Assert.Contains("CONNECTION LIMIT", failure.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void A_broken_connection_is_retried_and_wrong_settings_are_not()
    {
        Assert.True(ServerFailure.Of(Server.Source, new NpgsqlException("x", new SocketException(111)))!.IsRetriable);
        Assert.True(ServerFailure.Of(Server.Source, new NpgsqlException("x", new TimeoutException()))!.IsRetriable);
        Assert.True(ServerFailure.Of(Server.Source, new SocketException(111))!.IsRetriable);
        Assert.True(ServerFailure.Of(Server.Engine, new NpgsqlException("No suitable host was found."))!.IsRetriable);
        var password = ServerFailure.Of(Server.Source, new NpgsqlException("No password has been provided but …"))!;
        Assert.Equal((FailureKind.Configuration, "source-login"), (password.Kind, password.Code));
        var tls = ServerFailure.Of(Server.Engine, new NpgsqlException("x", new AuthenticationException("expired")))!;
        Assert.Equal((FailureKind.Configuration, "engine-tls"), (tls.Kind, tls.Code));
        var wrapped = ServerFailure.Of(Server.Engine, new NpgsqlException("x", Answer("42501")))!;
        Assert.Equal(FailureKind.Preflight, wrapped.Kind);
    }

    [Fact]
    public void Of_several_hosts_every_reason_is_named_and_the_primary_is_waited_for()
    {
        var hosts = new AggregateException(new NpgsqlException("Failed to connect to 10.0.0.1:5432"), Answer("28P01", "wrong password"));
        var failure = ServerFailure.Of(Server.Source, new NpgsqlException("Unable to connect to a suitable host.", hosts))!;
        Assert.True(failure.IsRetriable);
        Assert.Contains("10.0.0.1", failure.Message, StringComparison.Ordinal);
        Assert.Contains("wrong password", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pooler_that_shares_sessions_is_to_be_changed_and_not_waited_for()
    {
        var shared = new SharedSessionException();
        var engine = ServerFailure.Of(Server.Engine, shared)!;
        Assert.Equal(("engine-pooler", FailureKind.Configuration), (engine.Code, engine.Kind));
        Assert.Contains("pool_mode=session", engine.Remedy, StringComparison.Ordinal);
        // A pooler before the source is of no use in any mode.
        Assert.DoesNotContain("session", ServerFailure.Of(Server.Source, shared)!.Remedy, StringComparison.Ordinal);
        var hosts = new NpgsqlException("x", new AggregateException(new NpgsqlException("y"), shared));
        Assert.Equal("engine-pooler", ServerFailure.Of(Server.Engine, hosts)!.Code);
    }

    [Fact]
    public async Task A_connection_that_an_earlier_failure_closed_is_retried()
    {
        await using var connection = new NpgsqlConnection("Host=127.0.0.1");
        await using var command = new NpgsqlCommand("SELECT 1", connection);
        var closed = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken)
        );
        Assert.True(ServerFailure.Of(Server.Engine, closed)!.IsRetriable);
    }

    [Fact]
    public void A_defect_of_ours_and_a_cancellation_are_no_servers()
    {
        Assert.Null(ServerFailure.Of(Server.Source, new InvalidDataException("x")));
        Assert.Null(ServerFailure.Of(Server.Source, new InvalidOperationException("Connection is not open, says somebody else.")));
        Assert.Null(ServerFailure.Of(Server.Source, new OperationCanceledException()));
        Assert.Null(ServerFailure.Of(Server.Either, new IOException("The report cannot be written.")));
    }

    [Fact]
    public void A_message_names_the_server_and_a_remedy_its_option()
    {
        var failure = ServerFailure.Of(Server.Engine, Answer("28P01", "password authentication failed"), "engine db:5432/loyalty")!;
        Assert.Equal("The engine db:5432/loyalty refuses the login: password authentication failed.", failure.Message);
        Assert.Contains("Engine:ConnectionString", failure.Remedy, StringComparison.Ordinal);
        Assert.StartsWith("A server refused", ServerFailure.Of(Server.Either, Answer("40001"))!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Findings_mean_what_all_their_errors_mean()
    {
        Finding away = new("a", IsError: true, "", "") { Kind = FailureKind.Unavailable };
        Finding missing = new("b", IsError: true, "", "");
        Finding warning = new("c", IsError: false, "", "");
        Assert.Equal(FailureKind.Unavailable, Finding.KindOf([away, warning]));
        Assert.Equal(FailureKind.Preflight, Finding.KindOf([away, missing]));
    }

    private static PostgresException Answer(string sqlState, string text = "text") =>
        new PostgresException(text, "ERROR", "ERROR", sqlState);
}
