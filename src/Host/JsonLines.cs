using System.Globalization;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Formatting.Display;
using Serilog.Formatting.Json;

namespace Cdc.Host;

/// <summary>
/// One JSON object a line: Timestamp, Level, RenderedMessage, Exception and Properties. Each text once: neither the message's template nor
/// a property that is a sentence of the message is repeated beside it.
/// </summary>
internal sealed class JsonLines : ITextFormatter
{
    /// <summary>Texts as they are, without quotes around them.</summary>
    private readonly MessageTemplateTextFormatter _message = new("{Message:lj}", CultureInfo.InvariantCulture);
    private readonly JsonValueFormatter _values = new();

    public void Format(LogEvent logEvent, TextWriter output)
    {
        using var rendered = new StringWriter(CultureInfo.InvariantCulture);
        _message.Format(logEvent, rendered);
        var message = rendered.ToString();
        output.Write(
            string.Create(CultureInfo.InvariantCulture, $"{{\"Timestamp\":\"{logEvent.Timestamp:O}\",\"Level\":\"{logEvent.Level}\"")
        );
        output.Write(",\"RenderedMessage\":");
        JsonValueFormatter.WriteQuotedJsonString(message, output);
        if (logEvent.Exception is { } exception)
        {
            output.Write(",\"Exception\":");
            JsonValueFormatter.WriteQuotedJsonString(exception.ToString(), output);
        }
        output.Write(",\"Properties\":{");
        var separator = "";
        foreach (var (name, value) in logEvent.Properties)
        {
            if (IsSentenceOf(message, value))
                continue;
            output.Write(separator);
            separator = ",";
            JsonValueFormatter.WriteQuotedJsonString(name, output);
            output.Write(':');
            _values.Format(value, output);
        }
        output.WriteLine("}}");
    }

    private static bool IsSentenceOf(string message, LogEventPropertyValue value) =>
        value is ScalarValue { Value: string text }
        && text.Contains(' ', StringComparison.Ordinal)
        && message.Contains(text, StringComparison.Ordinal);
}
