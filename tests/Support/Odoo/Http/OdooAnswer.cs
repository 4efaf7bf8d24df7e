using System.Text;
using Cdc.Tests.Support.Odoo.Errors;
using Cdc.Tests.Support.Odoo.Python;
using Microsoft.AspNetCore.Http;

namespace Cdc.Tests.Support.Odoo.Http;

/// <summary>An answer as it goes out.</summary>
public sealed record OdooAnswer(int Status, string ContentType, string Body)
{
    private const string JsonType = "application/json; charset=utf-8";
    private const string HtmlType = "text/html; charset=utf-8";

    /// <summary>With this, a 401 says that a key is wanted.</summary>
    internal bool WantsKey { get; init; }

    public static OdooAnswer Json(object? value, int status = 200) => new(status, JsonType, PyJson.Write(value));

    /// <summary>As Werkzeug shows its errors, and proxies theirs.</summary>
    public static OdooAnswer Html(int status, string title, string text) =>
        new(status, HtmlType, $"<!doctype html>\n<html lang=en>\n<title>{status} {title}</title>\n<h1>{title}</h1>\n<p>{text}</p>\n");

    internal static OdooAnswer Of(OdooError e) =>
        Json(
            new PyDict
            {
                ["name"] = e.Name,
                ["message"] = e.Message,
                ["arguments"] = e.Arguments,
                ["context"] = new PyDict(),
                ["debug"] = Debug(e),
            },
            e.Status
        ) with
        {
            WantsKey = e.Status == 401,
        };

    /// <summary>JSON-RPC's: status 200 whatever happened.</summary>
    internal static OdooAnswer OfRpc(object? id, OdooError e, int major)
    {
        var data = new PyDict { ["name"] = e.Name };
        if (major < 19)
            data["debug"] = Debug(e);
        data["message"] = e.Message;
        data["arguments"] = e.Arguments;
        data["context"] = new PyDict();
        if (major >= 19)
            data["debug"] = Debug(e);
        return Json(
            new PyDict
            {
                ["jsonrpc"] = "2.0",
                ["id"] = id,
                ["error"] = new PyDict
                {
                    ["code"] = major >= 19 ? 0L : 200L,
                    ["message"] = "Odoo Server Error",
                    ["data"] = data,
                },
            }
        );
    }

    /// <summary>Without a member <c>result</c> where Python's is None.</summary>
    internal static OdooAnswer OfRpc(object? id, object? result)
    {
        var answer = new PyDict { ["jsonrpc"] = "2.0", ["id"] = id };
        if (result is not null)
            answer["result"] = result;
        return Json(answer);
    }

    internal async Task WriteAsync(HttpResponse response, CancellationToken ct)
    {
        response.StatusCode = Status;
        response.ContentType = ContentType;
        response.Headers.Server = "Werkzeug/2.2.2 Python/3.11.2";
        response.Headers.XContentTypeOptions = "nosniff";
        // With workers = 0 Odoo keeps no connection.
        response.Headers.Connection = "close";
        if (WantsKey)
            response.Headers.WWWAuthenticate = "Bearer ";
        var body = Encoding.UTF8.GetBytes(Body);
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body, ct);
    }

    private static string Debug(OdooError e) => $"Traceback (most recent call last):\n  …\n{e.Name}: {e.Message}\n";
}
