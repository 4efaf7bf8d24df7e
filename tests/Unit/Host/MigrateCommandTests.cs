using Cdc.Core.Failures;
using Cdc.Host;
using Xunit;

namespace Cdc.Tests.Unit.Host;

public sealed class MigrateCommandTests
{
    [Fact]
    public async Task Up_applies_what_is_pending_and_shows_it()
    {
        var schema = new Schema(applied: 1);
        var run = await RunAsync(schema, null, "migrate");
        Assert.Equal((0, 3), (run.ExitCode, schema.Applied));
        Assert.DoesNotContain("pending", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task To_stops_there_and_list_changes_nothing()
    {
        var schema = new Schema(applied: 1);
        await RunAsync(schema, null, "migrate", "--to", "2");
        Assert.Equal(2, schema.Applied);
        Assert.Contains("pending", (await RunAsync(schema, null, "migrate", "--list")).Out, StringComparison.Ordinal);
        Assert.Equal(2, schema.Applied);
    }

    [Fact]
    public async Task Down_without_a_terminal_and_without_yes_is_refused_and_changes_nothing()
    {
        var schema = new Schema(applied: 3);
        var run = await RunAsync(schema, null, "migrate", "--down", "1");
        Assert.Equal(((int)FailureKind.Refused, 3), (run.ExitCode, schema.Applied));
        Assert.Contains("version 3 (three)", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("y\n", 0, 1)]
    [InlineData("n\n", (int)FailureKind.Refused, 3)]
    [InlineData("", (int)FailureKind.Refused, 3)]
    public async Task Down_on_a_terminal_does_what_is_answered(string answer, int exitCode, int applied)
    {
        var schema = new Schema(applied: 3);
        Assert.Equal((exitCode, applied), ((await RunAsync(schema, answer, "migrate", "--down", "1")).ExitCode, schema.Applied));
    }

    [Fact]
    public async Task Down_with_yes_says_what_happens_and_does_it()
    {
        var schema = new Schema(applied: 3);
        var run = await RunAsync(schema, null, "migrate", "--down", "0", "--yes");
        Assert.Equal((0, 0), (run.ExitCode, schema.Applied));
        Assert.Contains("This will happen:", run.Error, StringComparison.Ordinal);
    }

    private static Task<CommandRun> RunAsync(Schema schema, string? answers, params string[] args) =>
        CommandRun.OfAsync(CommandRun.NoParts with { Migrator = (_, _) => schema }, answers, TestContext.Current.CancellationToken, args);

    private sealed class Schema(int applied) : IMigrator
    {
        private static readonly string[] Names = ["one", "two", "three"];

        public int Applied { get; private set; } = applied;

        public Task<IReadOnlyList<MigrationState>> StatusAsync(CancellationToken ct) =>
            Task.FromResult<IReadOnlyList<MigrationState>>(
                [.. Names.Select((name, i) => new MigrationState(i + 1, name, i < Applied ? DateTimeOffset.UnixEpoch : null))]);

        public Task UpAsync(int? to, CancellationToken ct)
        {
            Applied = Math.Max(Applied, to ?? Names.Length);
            return Task.CompletedTask;
        }

        public Task DownAsync(int to, CancellationToken ct)
        {
            Applied = Math.Min(Applied, to);
            return Task.CompletedTask;
        }
    }
}
