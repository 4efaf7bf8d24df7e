using Cdc.Tests.Support.Odoo.Errors;
using Cdc.Tests.Support.Odoo.Models;
using Cdc.Tests.Support.Odoo.Python;
using Npgsql;

namespace Cdc.Tests.Support.Odoo.Http;

/// <summary>POST /jsonrpc: services common and object, status 200 whatever they say.</summary>
internal sealed class JsonRpcEndpoint(NpgsqlDataSource source, OdooModels models, CallRunner runner)
{
    public const string Path = "/jsonrpc";

    /// <summary>Null: it is no call.</summary>
    public static (string Service, string Method, List<object?> Arguments)? Target(string body)
    {
        try
        {
            return
                PyJson.Parse(body) is PyDict rpc
                && rpc.GetValueOrDefault("params") is PyDict call
                && call.GetValueOrDefault("service") is string service
                && call.GetValueOrDefault("method") is string method
                ? (service, method, call.GetValueOrDefault("args") as List<object?> ?? [])
                : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    public async Task<OdooAnswer> AnswerAsync(OdooRequest request, string database, Func<Task>? beforeCommit, CancellationToken ct)
    {
        object? parsed;
        try
        {
            parsed = PyJson.Parse(request.Body);
        }
        catch (FormatException)
        {
            return OdooAnswer.Html(400, "Bad Request", "Invalid JSON data");
        }
        if (parsed is not PyDict rpc || Target(request.Body) is not { } target)
            return OdooAnswer.Html(400, "Bad Request", "Invalid JSON-RPC data");
        var id = rpc.GetValueOrDefault("id");
        try
        {
            return OdooAnswer.OfRpc(id, await ServeAsync(target, database, beforeCommit, ct));
        }
        catch (OdooError e)
        {
            return OdooAnswer.OfRpc(id, e, models.Major);
        }
        catch (NpgsqlException e)
        {
            return OdooAnswer.OfRpc(id, OdooError.Operational(e.Message), models.Major);
        }
    }

    private async Task<object?> ServeAsync(
        (string Service, string Method, List<object?> Arguments) target,
        string database,
        Func<Task>? beforeCommit,
        CancellationToken ct
    )
    {
        if (target is ("common", "version", _))
            return VersionInfo.Rpc(models.Major);
        if (target.Arguments is not [string named, ..])
            throw new OdooError("builtins.IndexError", 500, "list index out of range");
        if (named != database)
            throw NoDatabase(named);
        return target switch
        {
            ("common", "authenticate" or "login", [_, string login, string secret, ..]) => await Logins.BySecretAsync(
                source,
                login,
                secret,
                ct
            )
                is { } uid
                ? (long)uid
                : false,
            ("object", "execute_kw" or "execute", [_, long uid, string secret, string model, string method, .. var rest]) =>
                await ExecuteAsync((uid, secret), (model, method), Arguments(target.Method, rest), beforeCommit, ct),
            ("common" or "object", _, _) => throw new OdooError(
                "builtins.TypeError",
                500,
                $"dispatch() got wrong arguments for {target.Method}"
            ),
            _ => throw new OdooError("builtins.KeyError", 500, $"'{target.Service}'"),
        };
    }

    private async Task<object?> ExecuteAsync(
        (long Uid, string Secret) caller,
        (string Model, string Method) target,
        (List<object?> Positional, PyDict Named) given,
        Func<Task>? beforeCommit,
        CancellationToken ct
    )
    {
        if (!await Logins.IsSecretOfAsync(source, caller.Uid, caller.Secret, ct))
            throw OdooError.AccessDenied();
        var model = models.Find(target.Model) ?? throw OdooError.User($"Object {target.Model} doesn't exist");
        var signature = ModelCall.Signature(model, target.Method, models.Major);
        var named = new PyDict(given.Named);
        var context = ModelCall.TakeContext(named);
        var positional = given.Positional;
        IReadOnlyList<long> ids = [];
        if (!signature.IsOfModel && positional.Count > 0)
            (ids, positional) = (ModelCall.ToIds(positional[0]), positional[1..]);
        var arguments = signature.Bind(
            positional,
            named,
            m => new OdooError("builtins.TypeError", 500, $"{model.ClassName}.{target.Method}() {m}")
        );
        return await runner.RunAsync((int)caller.Uid, new ModelCall(model, target.Method, ids, arguments, context), beforeCommit, ct);
    }

    /// <summary>execute has them one behind the other, execute_kw in a list and a dictionary.</summary>
    private static (List<object?>, PyDict) Arguments(string method, List<object?> rest) =>
        method == "execute" ? (rest, []) : (rest.ElementAtOrDefault(0) as List<object?> ?? [], rest.ElementAtOrDefault(1) as PyDict ?? []);

    private OdooError NoDatabase(string name)
    {
        var server = new NpgsqlConnectionStringBuilder(source.ConnectionString);
        return OdooError.Operational(
            $"connection to server at \"{server.Host}\", port {server.Port} failed: FATAL:  database \"{name}\" does not exist\n"
        );
    }
}
