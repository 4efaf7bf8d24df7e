using Cdc.Core.Postgres;
using Cdc.Engine;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Engine;

public sealed class EngineConnectionTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(EngineRole.Pulse, ServerTimeouts.AnswerSeconds)]
    [InlineData(EngineRole.Process, ServerTimeouts.AnswerSeconds)]
    [InlineData(EngineRole.Apply, 0)]
    [InlineData(EngineRole.Load, 0)]
    public async Task Whatever_is_asked_where_an_answer_is_waited_for_has_a_time_out(EngineRole role, int seconds)
    {
        await using var database = await servers.Engine.CreateDatabaseAsync("pulse", ct: Ct);
        var options = new EngineOptions { ConnectionString = database.ConnectionString };
        await using var connection = await EngineConnection.OpenAsync(options, role, Ct);
        await using var command = connection.Statement("SELECT 1");
        Assert.Equal(seconds, command.CommandTimeout);
    }
}
