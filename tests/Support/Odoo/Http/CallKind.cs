namespace Cdc.Tests.Support.Odoo.Http;

/// <summary>What a call is, by which faults are planned.</summary>
internal static class CallKind
{
    public static string Of(OdooRequest request)
    {
        if (Json2Endpoint.IsFor(request) && Json2Endpoint.Target(request) is { } json2)
            return $"{json2.Model}/{json2.Method}";
        if (request.Path != JsonRpcEndpoint.Path || JsonRpcEndpoint.Target(request.Body) is not { } rpc)
            return $"{request.Method} {request.Path}";
        return rpc is ("object", _, [_, _, _, string model, string method, ..]) ? $"{model}/{method}" : $"{rpc.Service}/{rpc.Method}";
    }
}
