using Cdc.Tests.Support.Odoo.Errors;
using Cdc.Tests.Support.Odoo.Http;
using Cdc.Tests.Support.Odoo.Python;

namespace Cdc.Tests.Support.Odoo.Faults;

/// <summary>Serves the call, as often as it is asked.</summary>
/// <param name="beforeCommit">Runs in the call, when all is written and nothing is committed.</param>
internal delegate Task<OdooAnswer> Serve(Func<Task>? beforeCommit = null);

/// <summary>Something that goes wrong with one call.</summary>
public sealed class Fault
{
    private readonly Func<Serve, Task<OdooAnswer?>> _run;

    private Fault(string name, Func<Serve, Task<OdooAnswer?>> run) => (Name, _run) = (name, run);

    public string Name { get; }

    /// <summary>The connection is reset, and Odoo has never heard of it.</summary>
    public static Fault LoseRequest { get; } = new("request lost", _ => Task.FromResult<OdooAnswer?>(null));

    /// <summary>All is committed, and the connection is reset.</summary>
    public static Fault LoseAnswer { get; } =
        new(
            "answer lost",
            async serve =>
            {
                await serve();
                return null;
            }
        );

    /// <summary>Odoo dies in the call: nothing is committed, and the connection is reset.</summary>
    public static Fault DieBeforeCommit { get; } =
        new(
            "died before commit",
            async serve =>
            {
                try
                {
                    await serve(() => throw new DiedException());
                }
                catch (DiedException)
                {
                    // As it should.
                }
                return null;
            }
        );

    /// <summary>Delivered twice, one behind the other; the client gets the second's answer.</summary>
    public static Fault Twice { get; } =
        new(
            "delivered twice",
            async serve =>
            {
                await serve();
                return await serve();
            }
        );

    /// <summary>Delivered twice at the same time; the client gets the second's answer.</summary>
    public static Fault TwiceAtOnce { get; } = new("delivered twice at once", async serve => (await Task.WhenAll(serve(), serve()))[1]);

    /// <summary>What a proxy shows while Odoo is away.</summary>
    public static Fault Maintenance { get; } = Answer(OdooAnswer.Html(503, "Service Unavailable", "We'll be back in a few minutes."));

    /// <summary>Served and committed; the answer has no <c>result</c>, as with a method that returns None.</summary>
    public static Fault NoResult { get; } =
        new(
            "no result",
            async serve =>
            {
                var answer = await serve();
                return PyJson.Parse(answer.Body) is PyDict rpc && rpc.ContainsKey("jsonrpc")
                    ? OdooAnswer.OfRpc(rpc["id"], result: null)
                    : OdooAnswer.Json(null);
            }
        );

    /// <summary>Odoo is not asked.</summary>
    public static Fault Answer(OdooAnswer answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        return new($"status {answer.Status}", _ => Task.FromResult<OdooAnswer?>(answer));
    }

    /// <summary>The status with a body as Odoo, or what stands before it, gives it. Odoo is not asked.</summary>
    public static Fault Status(int status) => Answer(FaultAnswers.Of(status));

    /// <summary>The call is held before anything is done with it, until the test lets it go.</summary>
    public static Fault HoldRequest(HeldCall held) =>
        new(
            "request held",
            async serve =>
            {
                await held.WaitAsync();
                return await serve();
            }
        );

    /// <summary>The call is held when all is written and nothing is committed: its locks are held with it.</summary>
    public static Fault HoldCommit(HeldCall held) => new("commit held", async serve => await serve(held.WaitAsync));

    /// <summary>All is committed, and the answer is held.</summary>
    public static Fault HoldAnswer(HeldCall held) =>
        new(
            "answer held",
            async serve =>
            {
                var answer = await serve();
                await held.WaitAsync();
                return answer;
            }
        );

    /// <summary>Served now, and delivered once more when the test says so.</summary>
    public static Fault AgainLater(LateCall late)
    {
        ArgumentNullException.ThrowIfNull(late);
        return new(
            "delivered again later",
            async serve =>
            {
                var answer = await serve();
                late.Keep(() => serve());
                return answer;
            }
        );
    }

    /// <summary>Lost to the client, and delivered when the test says so: the client has long tried again.</summary>
    public static Fault OnlyLater(LateCall late)
    {
        ArgumentNullException.ThrowIfNull(late);
        return new(
            "delivered later",
            serve =>
            {
                late.Keep(() => serve());
                return Task.FromResult<OdooAnswer?>(null);
            }
        );
    }

    /// <summary>Something else happens just before the call: a key expires, a field is removed, Odoo is restored.</summary>
    public static Fault Before(Func<Task> happens) =>
        new(
            "something before",
            async serve =>
            {
                await happens();
                return await serve();
            }
        );

    /// <summary>The same in the call, when all is written and nothing is committed.</summary>
    public static Fault InCall(Func<Task> happens) => new("something in the call", async serve => await serve(happens));

    /// <summary>The same behind the commit, before the answer goes out.</summary>
    public static Fault Behind(Func<Task> happens) =>
        new(
            "something behind",
            async serve =>
            {
                var answer = await serve();
                await happens();
                return answer;
            }
        );

    /// <returns>Null: the connection is reset.</returns>
    internal Task<OdooAnswer?> RunAsync(Serve serve) => _run(serve);
}
