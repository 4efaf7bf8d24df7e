using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cdc.Odoo.Calls;

namespace Cdc.Odoo.Transport;

/// <summary>Bodies of calls, written from nodes that stay where they are: a call may be put twice.</summary>
internal static class CallBody
{
    /// <summary>Named arguments alone.</summary>
    public static byte[] Json2(OdooCall call) =>
        Write(json =>
        {
            json.WriteStartObject();
            if (call.Ids is { } ids)
                Ids(json, ids);
            foreach (var argument in call.Placed.Concat(call.Named))
                Argument(json, argument);
            json.WritePropertyName("context");
            call.Context.WriteTo(json);
            json.WriteEndObject();
        });

    public static byte[] JsonRpc(OdooCall call, string database, long user, string key) =>
        Rpc(
            "object",
            "execute_kw",
            json =>
            {
                json.WriteStringValue(database);
                json.WriteNumberValue(user);
                json.WriteStringValue(key);
                json.WriteStringValue(call.Model);
                json.WriteStringValue(call.Method);
                json.WriteStartArray();
                if (call.Ids is { } ids)
                    IdList(json, ids);
                foreach (var argument in call.Placed)
                    Value(json, argument.Value);
                json.WriteEndArray();
                json.WriteStartObject();
                foreach (var argument in call.Named)
                    Argument(json, argument);
                json.WritePropertyName("context");
                call.Context.WriteTo(json);
                json.WriteEndObject();
            }
        );

    public static byte[] Version() => Rpc("common", "version", _ => { });

    public static byte[] Authenticate(string database, string login, string key) =>
        Rpc(
            "common",
            "authenticate",
            json =>
            {
                json.WriteStringValue(database);
                json.WriteStringValue(login);
                json.WriteStringValue(key);
                json.WriteStartObject();
                json.WriteEndObject();
            }
        );

    /// <summary>The answer carries the id back. HTTP pairs the two already, so that one number does for all.</summary>
    private static byte[] Rpc(string service, string method, Action<Utf8JsonWriter> arguments) =>
        Write(json =>
        {
            json.WriteStartObject();
            json.WriteString("jsonrpc", "2.0");
            json.WriteString("method", "call");
            json.WriteStartObject("params");
            json.WriteString("service", service);
            json.WriteString("method", method);
            json.WriteStartArray("args");
            arguments(json);
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteNumber("id", JsonRpcTransport.CallId);
            json.WriteEndObject();
        });

    private static void Ids(Utf8JsonWriter json, IReadOnlyList<long> ids)
    {
        json.WritePropertyName("ids");
        IdList(json, ids);
    }

    private static void IdList(Utf8JsonWriter json, IReadOnlyList<long> ids)
    {
        json.WriteStartArray();
        foreach (var id in ids)
            json.WriteNumberValue(id);
        json.WriteEndArray();
    }

    private static void Argument(Utf8JsonWriter json, OdooArgument argument)
    {
        json.WritePropertyName(argument.Name);
        Value(json, argument.Value);
    }

    private static void Value(Utf8JsonWriter json, JsonNode? value)
    {
        if (value is null)
            json.WriteNullValue();
        else
            value.WriteTo(json);
    }

    private static byte[] Write(Action<Utf8JsonWriter> write)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
            write(json);
        return bytes.WrittenSpan.ToArray();
    }
}
