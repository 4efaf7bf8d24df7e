using Cdc.Tests.Support.Odoo.Errors;
using Cdc.Tests.Support.Odoo.Methods;
using Cdc.Tests.Support.Odoo.Models;
using Cdc.Tests.Support.Odoo.Python;
using Npgsql;

namespace Cdc.Tests.Support.Odoo.Http;

/// <summary>POST /json/2/MODEL/METHOD of Odoo 19: named arguments, the bare result, errors by status.</summary>
internal sealed class Json2Endpoint(NpgsqlDataSource source, OdooModels models, CallRunner runner)
{
    private const string Prefix = "/json/2";

    public static bool IsFor(OdooRequest request) =>
        request.Path == Prefix || request.Path.StartsWith(Prefix + "/", StringComparison.Ordinal);

    /// <summary>Null: the path has not both.</summary>
    public static (string Model, string Method)? Target(OdooRequest request) =>
        request.Path.Split('/', StringSplitOptions.RemoveEmptyEntries) is [_, _, var model, var method] && request.Method == "POST"
            ? (model, method)
            : null;

    public async Task<OdooAnswer> AnswerAsync(OdooRequest request, string database, Func<Task>? beforeCommit, CancellationToken ct)
    {
        if (models.Major < 19)
            return OdooAnswer.Html(404, "Not Found", "The requested URL was not found on the server.");
        // Several databases are visible, so one must be named.
        if (request.Database != database)
            return new OdooAnswer(404, "text/html; charset=utf-8", NoDatabase);
        try
        {
            if (Target(request) is not { } target)
                throw OdooError.Http("NotFound", 404, "Did you mean POST /json/2/<model>/<method>?");
            if (request.ContentType != "application/json" && request.Body.Length > 0)
                return OdooAnswer.Html(
                    415,
                    "Unsupported Media Type",
                    "Request inferred type is compatible with 'http' but '/json/2/<model>/<method>' is type='json2'.\n\nPlease verify the Content-Type request header and try again."
                );
            var uid = await UserAsync(request, ct);
            return OdooAnswer.Json(await CallAsync(uid, target, Named(request.Body), beforeCommit, ct));
        }
        catch (OdooError e)
        {
            return OdooAnswer.Of(e);
        }
        catch (NpgsqlException e)
        {
            return OdooAnswer.Of(OdooError.Operational(e.Message));
        }
    }

    private const string NoDatabase = """
        <!DOCTYPE html>
        <title>404 Not Found</title>
        <h1>Not Found</h1>
        <p>No database is selected and the requested URL was not found in the server-wide controllers.</p>
        <p>Please verify the hostname, <a href=/web/login>login</a> and try again.</p>
        <!-- Alternatively, use the X-Odoo-Database header. -->
        """;

    private async Task<int> UserAsync(OdooRequest request, CancellationToken ct) =>
        request.Key is null
            ? throw OdooError.Http("Unauthorized", 401, "User not authenticated, use an API Key with a Bearer Authorization header.")
            : await Logins.ByKeyAsync(source, request.Key, ct) ?? throw OdooError.Http("Unauthorized", 401, "Invalid apikey");

    private async Task<object?> CallAsync(
        int uid,
        (string Model, string Method) target,
        PyDict named,
        Func<Task>? beforeCommit,
        CancellationToken ct
    )
    {
        var model = models.Find(target.Model) ?? throw OdooError.Http("NotFound", 404, $"the model '{target.Model}' does not exist");
        var context = ModelCall.TakeContext(named);
        named.Remove("ids", out var ids);
        var signature = Signature(model, target.Method);
        if (signature.IsOfModel && ModelCall.ToIds(ids).Count > 0)
            throw Unprocessable($"cannot call {model.Name}.{target.Method} with ids");
        var arguments = signature.Bind([], named, Unprocessable);
        // One record in a dictionary is created too, and answered by a list.
        if (target.Method == "create" && arguments["vals_list"] is PyDict one)
            arguments["vals_list"] = new List<object?> { one };
        return await runner.RunAsync(uid, new ModelCall(model, target.Method, ModelCall.ToIds(ids), arguments, context), beforeCommit, ct);
    }

    private MethodSignature Signature(OdooModel model, string method)
    {
        try
        {
            return ModelCall.Signature(model, method, models.Major);
        }
        catch (OdooError e) when (e.Name == "builtins.AttributeError")
        {
            throw OdooError.Http("NotFound", 404, e.Message);
        }
    }

    /// <summary>A list in place of an object counts as no arguments.</summary>
    private static PyDict Named(string body)
    {
        if (body.Length == 0)
            return [];
        try
        {
            return PyJson.Parse(body) as PyDict ?? [];
        }
        catch (FormatException e)
        {
            throw OdooError.Http("BadRequest", 400, $"could not parse the body as json: {e.Message}");
        }
    }

    private static OdooError Unprocessable(string message) => OdooError.Http("UnprocessableEntity", 422, message);
}
