using System.Text.Json.Nodes;
using Cdc.Core.Failures;
using Cdc.Odoo.Calls;
using Cdc.Odoo.Failures;
using Xunit;

namespace Cdc.Tests.Unit.Odoo;

/// <summary>Every error that a real Odoo was seen to answer with is of one class, over both transports.</summary>
public sealed class FailureClassTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("expired key", FailureClass.Systemic, "odoo-key")]
    [InlineData("search_read with ids", FailureClass.Systemic, "odoo-call")]
    [InlineData("create as bot", FailureClass.Systemic, "odoo-access")]
    [InlineData("run without right", FailureClass.Systemic, "odoo-access")]
    [InlineData("load: unknown field", FailureClass.Systemic, "odoo-schema")]
    [InlineData("header of a database that the filter leaves out", FailureClass.Systemic, "odoo-address")]
    [InlineData("One card of the batch is refused by the database: all undone", FailureClass.Refused, "odoo-refused")]
    [InlineData("Delta text", FailureClass.Refused, "odoo-refused")]
    [InlineData("Five tries were not enough (somebody else updates the row all the time)", FailureClass.Transient, "odoo-busy")]
    [InlineData("The parameter is missing", FailureClass.Systemic, "odoo-registry")]
    [InlineData("The action is gone", FailureClass.Systemic, "odoo-action")]
    public async Task Over_JSON_2(string name, FailureClass expected, string code) =>
        await IsOfClassAsync("19.0", RecordedAnswer.Json2(name), expected, code);

    [Theory]
    [InlineData("JSON-RPC UNIQUE broken", FailureClass.Refused, "odoo-refused")]
    [InlineData("JSON-RPC AccessError", FailureClass.Systemic, "odoo-access")]
    [InlineData("JSON-RPC MissingError", FailureClass.Refused, "odoo-missing")]
    [InlineData("JSON-RPC UserError", FailureClass.Refused, "odoo-refused")]
    [InlineData("JSON-RPC unknown model", FailureClass.Systemic, "odoo-schema")]
    [InlineData("JSON-RPC unknown method", FailureClass.Systemic, "odoo-schema")]
    [InlineData("JSON-RPC private method", FailureClass.Systemic, "odoo-access")]
    [InlineData("JSON-RPC unknown argument", FailureClass.Systemic, "odoo-call")]
    [InlineData("JSON-RPC wrong password", FailureClass.Systemic, "odoo-key")]
    [InlineData("JSON-RPC unknown db", FailureClass.Systemic, "odoo-database")]
    [InlineData("One card of the batch is refused by the database: all undone", FailureClass.Refused, "odoo-refused")]
    [InlineData("Delta text", FailureClass.Refused, "odoo-refused")]
    [InlineData("Five tries were not enough (somebody else updates the row all the time)", FailureClass.Transient, "odoo-busy")]
    [InlineData("The parameter is missing", FailureClass.Systemic, "odoo-registry")]
    [InlineData("The action when the fields are gone", FailureClass.Systemic, "odoo-fields")]
    [InlineData("The action is gone", FailureClass.Systemic, "odoo-action")]
    public async Task Over_JSON_RPC(string name, FailureClass expected, string code) =>
        await IsOfClassAsync("16.0", RecordedAnswer.JsonRpc(name), expected, code);

    /// <summary>By names and texts that were not recorded, as Odoo's source and psycopg2 have them.</summary>
    [Theory]
    [InlineData(409, "odoo.exceptions.LockError", "Cannot grab a lock", FailureClass.Transient, "odoo-busy")]
    [InlineData(404, "werkzeug.exceptions.NotFound", "the model 'loyalty.card' does not exist", FailureClass.Systemic, "odoo-schema")]
    [InlineData(
        422,
        "odoo.exceptions.ValidationError",
        "A coupon/loyalty card must have a unique code.",
        FailureClass.Refused,
        "odoo-refused"
    )]
    [InlineData(422, "odoo.exceptions.RedirectWarning", "Configure it first", FailureClass.Refused, "odoo-refused")]
    [InlineData(422, "odoo.addons.x.NewError", "something new", FailureClass.Refused, "odoo-refused")]
    [InlineData(403, "odoo.exceptions.AccessDenied", "Access Denied", FailureClass.Systemic, "odoo-key")]
    [InlineData(500, "psycopg2.errors.NumericValueOutOfRange", "integer out of range\n", FailureClass.Refused, "odoo-refused")]
    [InlineData(500, "psycopg2.errors.DeadlockDetected", "deadlock detected\nDETAIL:  …", FailureClass.Transient, "odoo-busy")]
    [InlineData(500, "psycopg2.errors.LockNotAvailable", "could not obtain lock on row", FailureClass.Transient, "odoo-busy")]
    [InlineData(500, "psycopg2.errors.UndefinedColumn", "column c.x does not exist", FailureClass.Systemic, "odoo-schema")]
    [InlineData(500, "psycopg2.errors.AdminShutdown", "terminating connection", FailureClass.Transient, "odoo-database-lost")]
    [InlineData(500, "psycopg2.InterfaceError", "cursor already closed", FailureClass.Transient, "odoo-database-lost")]
    [InlineData(500, "psycopg2.OperationalError", "could not connect to server", FailureClass.Transient, "odoo-database-lost")]
    [InlineData(500, "builtins.ValueError", "could not convert string to float: 'x'", FailureClass.Refused, "odoo-refused")]
    [InlineData(500, "builtins.ValueError", "Invalid field 'x_a' on model 'loyalty.card'", FailureClass.Systemic, "odoo-schema")]
    [InlineData(500, "builtins.KeyError", "'x_cdc_seq'", FailureClass.Systemic, "odoo-schema")]
    [InlineData(503, "werkzeug.exceptions.ServiceUnavailable", "overloaded", FailureClass.Transient, "odoo-busy")]
    [InlineData(429, "werkzeug.exceptions.TooManyRequests", "slow down", FailureClass.Transient, "odoo-away")]
    [InlineData(400, "werkzeug.exceptions.BadRequest", "bad JSON", FailureClass.Systemic, "odoo-call")]
    public async Task By_its_name(int status, string name, string message, FailureClass expected, string code)
    {
        var body = new JsonObject { ["name"] = name, ["message"] = message };
        await IsOfClassAsync("19.0", PlayedAnswer.Json(body.ToJsonString(), status), expected, code);
    }

    [Theory]
    [InlineData("NameError(\"name 'x' is not defined\") while evaluating x", FailureClass.Systemic, "odoo-action")]
    [InlineData("UndefinedColumn('column \"x_cdc_seq\" does not exist\\n') while evaluating x", FailureClass.Systemic, "odoo-fields")]
    [InlineData("ForeignKeyViolation('insert or update …') while evaluating x", FailureClass.Refused, "odoo-refused")]
    [InlineData("ValueError(\"Invalid field 'active' on model 'loyalty.card'\") while evaluating x", FailureClass.Systemic, "odoo-schema")]
    public async Task Inside_the_action(string message, FailureClass expected, string code)
    {
        var body = new JsonObject { ["name"] = "builtins.ValueError", ["message"] = message };
        await IsOfClassAsync("19.0", PlayedAnswer.Json(body.ToJsonString(), 500), expected, code);
    }

    [Theory]
    [InlineData(400, FailureClass.Systemic, "odoo-call")]
    [InlineData(401, FailureClass.Systemic, "odoo-proxy")]
    [InlineData(403, FailureClass.Systemic, "odoo-proxy")]
    [InlineData(404, FailureClass.Systemic, "odoo-address")]
    [InlineData(409, FailureClass.Transient, "odoo-away")]
    [InlineData(413, FailureClass.Refused, "odoo-too-large")]
    [InlineData(415, FailureClass.Systemic, "odoo-call")]
    public async Task A_page_says_it_by_its_status(int status, FailureClass expected, string code) =>
        await IsOfClassAsync("19.0", PlayedAnswer.Page(status), expected, code);

    [Fact]
    public async Task The_code_of_the_action_and_values_of_rows_are_left_out_of_messages()
    {
        await using var bed = await OdooBed.StartAsync("16.0", Ct);
        bed.Server.Play(RecordedAnswer.JsonRpc("One card of the batch is refused by the database: all undone"));
        var failure = await OdooBed.FailureAsync(() => RunAsync(bed));
        Assert.Contains("duplicate key value violates unique constraint", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("env[", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("CDC-7d444840", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
    }

    [Fact]
    public async Task The_key_is_in_no_message()
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct);
        bed.Server.Play(RecordedAnswer.Json2("expired key"));
        var failure = await OdooBed.FailureAsync(() => RunAsync(bed));
        Assert.Equal(FailureKind.Configuration, failure.Kind);
        Assert.DoesNotContain(OdooBed.Options.Key, failure.ToString() + failure.Remedy + OdooBed.Options, StringComparison.Ordinal);
    }

    private static async Task IsOfClassAsync(string version, PlayedAnswer answer, FailureClass expected, string code)
    {
        await using var bed = await OdooBed.StartAsync(version, Ct);
        bed.Server.Answers = _ => answer;
        var failure = await OdooBed.FailureAsync(() => RunAsync(bed));
        Assert.Equal((expected, code), (failure.Class, failure.Code));
        Assert.NotEmpty(failure.Remedy);
        Assert.EndsWith(".", failure.Remedy, StringComparison.Ordinal);
        Assert.StartsWith("Odoo (ir.actions.server/run) ", failure.Message, StringComparison.Ordinal);
    }

    private static async Task RunAsync(OdooBed bed) =>
        await bed.Client.CallAsync(new OdooCall("ir.actions.server", "run") { Ids = [502], MayBeRepeated = true }, Ct);
}
