using Cdc.Core.Configuration;
using Cdc.Core.Failures;
using Cdc.Odoo;
using Cdc.Odoo.Calls;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cdc.Tests.Unit.Odoo;

/// <summary>Each option is checked, and acts.</summary>
public sealed class OdooOptionsTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public void What_is_set_by_itself_and_what_is_usual_can_work()
    {
        Assert.Empty(Wrong(new OdooOptions()));
        Assert.Empty(
            Wrong(
                OdooBed.Options with
                {
                    Url = "https://odoo.example.com/",
                    Language = "sr@latin",
                    Companies = "1, 3",
                    CallsPerSecond = 0.5m,
                }
            )
        );
    }

    public static TheoryData<string, OdooOptions> CannotWork() =>
        new()
        {
            {
                "Url",
                new() { Url = "odoo.example.com" }
            },
            {
                "Url",
                new() { Url = "ftp://odoo.example.com" }
            },
            {
                "Url",
                new() { Url = "https://user:secret@odoo.example.com" }
            },
            {
                "Url",
                new() { Url = "https://odoo.example.com/?db=x" }
            },
            {
                "KeyFile",
                new() { Key = "k", KeyFile = "/run/key" }
            },
            {
                "Language",
                new() { Language = "" }
            },
            {
                "Language",
                new() { Language = "en'US" }
            },
            {
                "Companies",
                new() { Companies = "1,," }
            },
            {
                "Companies",
                new() { Companies = "0" }
            },
            {
                "Timeout",
                new() { Timeout = TimeSpan.FromMilliseconds(999) }
            },
            {
                "Attempts",
                new() { Attempts = 0 }
            },
            {
                "ParallelCalls",
                new() { ParallelCalls = 0 }
            },
            {
                "CallsPerSecond",
                new() { CallsPerSecond = -1 }
            },
        };

    [Theory]
    [MemberData(nameof(CannotWork), DisableDiscoveryEnumeration = true)]
    public void What_cannot_work_is_named(string option, OdooOptions options) => Assert.Equal([option], Wrong(options));

    [Fact]
    public async Task Without_an_address_nothing_is_called()
    {
        var missing = await Assert.ThrowsAsync<CdcException>(() =>
            OdooClient.ConnectAsync(new OdooOptions(), TimeProvider.System, NullLogger.Instance, Ct)
        );
        Assert.Equal(FailureKind.Configuration, missing.Kind);
    }

    [Theory]
    [InlineData("", "cdcbot")]
    [InlineData("odoo16", "")]
    public async Task JSON_RPC_needs_database_and_login(string database, string login)
    {
        await using var bed = await OdooBed.StartAsync("16.0", Ct, o => o with { Database = database, Login = login });
        var missing = await Assert.ThrowsAsync<CdcException>(() => bed.Client.UserAsync(Ct));
        Assert.Equal(FailureKind.Configuration, missing.Kind);
    }

    [Fact]
    public async Task JSON_2_needs_neither()
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct, o => o with { Database = "", Login = "" });
        bed.Server.Play(RecordedAnswer.Json2("no database header, --db-filter leaves one"));
        await bed.Client.CallAsync(new OdooCall("loyalty.card", "search_count"), Ct);
        Assert.Null(bed.Server.Calls.Single().Database);
    }

    [Fact]
    public async Task The_protocol_can_be_chosen()
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct, o => o with { Protocol = OdooProtocol.JsonRpc });
        bed.Server.Play(RecordedAnswer.JsonRpc("JSON-RPC None result"));
        await bed.Client.CallAsync(new OdooCall("loyalty.card", "action_archive") { Ids = [41] }, Ct);
        Assert.True(bed.Server.Calls.Single().IsRpc);
    }

    [Fact]
    public async Task A_new_key_in_the_file_counts_for_the_next_call()
    {
        var file = Path.GetTempFileName();
        try
        {
            await using var bed = await OdooBed.StartAsync("19.0", Ct, o => o with { Key = "", KeyFile = file });
            bed.Server.Answers = _ => PlayedAnswer.Json("null");
            foreach (var key in (string[])["first\n", " second "])
            {
                await File.WriteAllTextAsync(file, key, Ct);
                await bed.Client.CallAsync(new OdooCall("loyalty.card", "action_archive"), Ct);
            }
            Assert.Equal(["bearer first", "bearer second"], bed.Server.Calls.Select(c => c.Authorization));
            File.Delete(file);
            var missing = await Assert.ThrowsAsync<CdcException>(() =>
                bed.Client.CallAsync(new OdooCall("loyalty.card", "action_archive"), Ct)
            );
            Assert.Equal(FailureKind.Configuration, missing.Kind);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Without_a_key_no_call_is_made()
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct, o => o with { Key = "" });
        var missing = await Assert.ThrowsAsync<CdcException>(() => bed.Client.UserAsync(Ct));
        Assert.Equal(FailureKind.Configuration, missing.Kind);
        Assert.Empty(bed.Server.Calls);
    }

    [Fact]
    public void Language_and_companies_are_in_the_context_and_nothing_makes_mails()
    {
        var context = OdooContext.Quiet(new OdooOptions { Language = "id_ID", Companies = "1, 3" });
        Assert.Equal(
            """{"lang":"id_ID","tz":"UTC","tracking_disable":true,"mail_create_nosubscribe":true,"loyalty_no_mail":true,"action_no_send_mail":true,"allowed_company_ids":[1,3]}""",
            context.ToJsonString()
        );
        Assert.False(OdooContext.Quiet(new OdooOptions()).ContainsKey("allowed_company_ids"));
    }

    [Fact]
    public async Task No_more_calls_are_under_way_than_are_allowed()
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct, o => o with { ParallelCalls = 2 });
        var (second, answer) = (new TaskCompletionSource(), new TaskCompletionSource());
        var arrived = 0;
        bed.Server.Answers = _ =>
        {
            if (Interlocked.Increment(ref arrived) == 2)
                second.SetResult();
            return PlayedAnswer.Json("null") with { Until = answer.Task };
        };
        var calls = Enumerable.Range(0, 5).Select(_ => bed.Client.CallAsync(new OdooCall("loyalty.card", "action_archive"), Ct)).ToList();
        await second.Task.WaitAsync(Ct);
        Assert.Equal(2, Volatile.Read(ref arrived));
        answer.SetResult();
        await Task.WhenAll(calls);
        Assert.Equal(5, arrived);
    }

    [Fact]
    public async Task Calls_begin_as_far_apart_as_is_wished()
    {
        var time = new HurriedTime();
        await using var bed = await OdooBed.StartAsync("19.0", Ct, o => o with { CallsPerSecond = 0.5m }, time);
        bed.Server.Answers = _ => PlayedAnswer.Json("null");
        await bed.Client.CallAsync(new OdooCall("loyalty.card", "action_archive"), Ct);
        await bed.Client.CallAsync(new OdooCall("loyalty.card", "action_archive"), Ct);
        // The version was the first call.
        Assert.Equal([TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(4)], time.Pauses);
    }

    private static List<string> Wrong(OdooOptions options)
    {
        List<string> wrong = [];
        options.Check(new OptionChecks((option, _) => wrong.Add(option)));
        return wrong;
    }
}
