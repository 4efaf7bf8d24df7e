using System.Text.Json.Nodes;
using Cdc.Odoo;
using Cdc.Odoo.Calls;
using Cdc.Odoo.Failures;
using Cdc.Tests.Support.Time;
using Xunit;

namespace Cdc.Tests.Unit.Odoo;

/// <summary>Calls without an answer: what is sent again, and what is in doubt then.</summary>
public sealed class AwayTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly PlayedAnswer Done = PlayedAnswer.Json("true");

    [Theory]
    [InlineData(200)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    [InlineData(429)]
    [InlineData(0)]
    public async Task A_call_that_may_be_repeated_is_sent_until_Odoo_answers(int status)
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct);
        var away = status == 0 ? PlayedAnswer.Cut : PlayedAnswer.Page(status);
        bed.Server.Play(away, away, Done);
        await WriteAsync(bed, mayBeRepeated: true);
        Assert.Equal(3, bed.Server.Calls.Count);
    }

    [Theory]
    [InlineData(200, 3)]
    [InlineData(503, 1)]
    [InlineData(0, 2)]
    public async Task It_is_given_up_after_as_many_attempts_as_are_configured(int status, int attempts)
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct, o => o with { Attempts = attempts });
        bed.Server.Answers = _ => status == 0 ? PlayedAnswer.Cut : PlayedAnswer.Page(status);
        var failure = await OdooBed.FailureAsync(() => WriteAsync(bed, mayBeRepeated: true));
        Assert.Equal((FailureClass.Transient, "odoo-away", true), (failure.Class, failure.Code, failure.MayBeApplied));
        Assert.Equal(attempts, bed.Server.Calls.Count);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    [InlineData(0)]
    public async Task Any_other_is_sent_once_and_is_in_doubt(int status)
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct);
        bed.Server.Answers = _ => status == 0 ? PlayedAnswer.Cut : PlayedAnswer.Page(status);
        var failure = await OdooBed.FailureAsync(() => WriteAsync(bed, mayBeRepeated: false));
        Assert.Equal((FailureClass.InDoubt, true), (failure.Class, failure.MayBeApplied));
        Assert.StartsWith("Look in Odoo whether it was done", failure.Remedy, StringComparison.Ordinal);
        Assert.Single(bed.Server.Calls);
    }

    [Fact]
    public async Task What_was_surely_not_done_is_sent_again_whatever_it_is()
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct);
        bed.Server.Play(PlayedAnswer.Page(429), Done);
        await WriteAsync(bed, mayBeRepeated: false);
        Assert.Equal(2, bed.Server.Calls.Count);
    }

    [Fact]
    public async Task Nobody_listens_is_never_in_doubt()
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct);
        await bed.Server.DisposeAsync();
        var failure = await OdooBed.FailureAsync(() => WriteAsync(bed, mayBeRepeated: false));
        Assert.Equal((FailureClass.Transient, "odoo-away", false), (failure.Class, failure.Code, failure.MayBeApplied));
    }

    [Fact]
    public async Task An_answer_that_breaks_in_the_middle_is_none()
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct);
        bed.Server.Play(PlayedAnswer.Json("[1, 2, 3]") with { CutAfter = 4 }, Done);
        await WriteAsync(bed, mayBeRepeated: true);
        Assert.Equal(2, bed.Server.Calls.Count);
    }

    [Theory]
    [InlineData("19.0", "{\"ids\": [1")]
    [InlineData("19.0", "")]
    [InlineData("16.0", "{}")]
    [InlineData("16.0", "[]")]
    [InlineData("16.0", "{\"jsonrpc\": \"2.0\", \"id\": 8, \"result\": true}")]
    [InlineData("16.0", "{\"jsonrpc\": \"2.0\", \"id\": 17, \"error\": \"broken\"}")]
    public async Task JSON_that_is_no_answer_leaves_the_call_in_doubt(string version, string text)
    {
        await using var bed = await OdooBed.StartAsync(version, Ct);
        bed.Server.Play(PlayedAnswer.Json(text));
        var failure = await OdooBed.FailureAsync(() => WriteAsync(bed, mayBeRepeated: false));
        Assert.Equal((FailureClass.InDoubt, "odoo-answer"), (failure.Class, failure.Code));
    }

    [Fact]
    public async Task An_error_of_the_second_sending_says_that_the_first_may_have_been_done()
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct);
        bed.Server.Play(PlayedAnswer.Cut, RecordedAnswer.Json2("The parameter is missing"));
        var failure = await OdooBed.FailureAsync(() => WriteAsync(bed, mayBeRepeated: true));
        Assert.Equal((FailureClass.Systemic, true), (failure.Class, failure.MayBeApplied));
    }

    [Fact]
    public async Task A_call_that_Odoo_does_not_answer_in_time_is_in_doubt()
    {
        var time = new ManualTime(DateTimeOffset.UnixEpoch);
        await using var bed = await OdooBed.StartAsync("19.0", Ct, o => o with { Timeout = TimeSpan.FromSeconds(7) }, time);
        var arrived = new TaskCompletionSource();
        bed.Server.Answers = _ =>
        {
            arrived.SetResult();
            return Done with { Until = Task.Delay(Timeout.Infinite, Ct) };
        };
        var call = WriteAsync(bed, mayBeRepeated: false);
        await arrived.Task.WaitAsync(Ct);
        time.Advance(TimeSpan.FromSeconds(6.9));
        Assert.False(call.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.1));
        var failure = await OdooBed.FailureAsync(() => call);
        Assert.Equal(FailureClass.InDoubt, failure.Class);
        Assert.Contains("did not answer in Odoo:Timeout", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_caller_who_gives_up_gets_no_failure_of_Odoo()
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct);
        using var given = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        bed.Server.Answers = _ =>
        {
            given.Cancel();
            return Done with { Until = Task.Delay(Timeout.Infinite, Ct) };
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            bed.Client.WriteAsync("loyalty.card", [22], [], mayBeRepeated: true, given.Token)
        );
    }

    [Fact]
    public async Task The_server_says_how_long_to_wait()
    {
        var time = new HurriedTime();
        await using var bed = await OdooBed.StartAsync("19.0", Ct, time: time);
        bed.Server.Play(PlayedAnswer.Page(429) with { RetryAfter = "3" }, Done);
        await WriteAsync(bed, mayBeRepeated: true);
        Assert.Contains(TimeSpan.FromSeconds(3), time.Pauses);
    }

    [Theory]
    [InlineData("3600")]
    [InlineData("Thu, 01 Jan 1970 01:00:00 GMT")]
    public async Task So_long_nobody_waits_in_a_call_the_caller_is_told(string retryAfter)
    {
        // Its clock stands at the beginning of 1970.
        await using var bed = await OdooBed.StartAsync("19.0", Ct, time: new HurriedTime());
        bed.Server.Play(PlayedAnswer.Page(429) with { RetryAfter = retryAfter });
        var failure = await OdooBed.FailureAsync(() => WriteAsync(bed, mayBeRepeated: true));
        Assert.Equal((FailureClass.Transient, TimeSpan.FromHours(1)), (failure.Class, failure.RetryAfter));
        Assert.Single(bed.Server.Calls);
    }

    [Fact]
    public async Task Where_half_of_the_calls_fail_none_is_sent_for_a_while()
    {
        var time = new HurriedTime();
        await using var bed = await OdooBed.StartAsync("19.0", Ct, o => o with { Attempts = 1 }, time);
        bed.Server.Answers = _ => PlayedAnswer.Page(502);
        // The version was the first of ten calls.
        for (var i = 0; i < 9; i++)
            await OdooBed.FailureAsync(() => WriteAsync(bed, mayBeRepeated: true));
        Assert.Equal(9, bed.Server.Calls.Count);

        var failure = await OdooBed.FailureAsync(() => WriteAsync(bed, mayBeRepeated: false));
        Assert.Equal((FailureClass.Transient, "odoo-away", false), (failure.Class, failure.Code, failure.MayBeApplied));
        Assert.Equal(9, bed.Server.Calls.Count);

        time.Ahead = TimeSpan.FromSeconds(6);
        bed.Server.Answers = _ => Done;
        await WriteAsync(bed, mayBeRepeated: true);
        Assert.Equal(10, bed.Server.Calls.Count);
    }

    [Theory]
    [InlineData(301, "https://odoo.example.com/json/2/loyalty.card/write?secret", FailureClass.Systemic, "odoo-address")]
    [InlineData(302, "https://odoo.example.com/json/2/loyalty.card/write", FailureClass.Systemic, "odoo-address")]
    [InlineData(302, "https://odoo.example.com/maintenance", FailureClass.Transient, "odoo-away")]
    public async Task A_redirect_is_not_followed(int status, string location, FailureClass expected, string code)
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct);
        bed.Server.Answers = _ => PlayedAnswer.Page(status) with { Location = location };
        var failure = await OdooBed.FailureAsync(() => WriteAsync(bed, mayBeRepeated: true));
        Assert.Equal((expected, code), (failure.Class, failure.Code));
        Assert.DoesNotContain("secret", failure.Message, StringComparison.Ordinal);
    }

    private static Task WriteAsync(OdooBed bed, bool mayBeRepeated) =>
        bed.Client.WriteAsync("loyalty.card", [22], new JsonObject { ["code"] = "a" }, mayBeRepeated, Ct);
}
