using System.Text.Json;
using Cdc.Host;
using Cdc.Log;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Xunit;

namespace Cdc.Tests.Unit.Host;

public sealed class JsonLinesTests
{
    [Fact]
    public void A_line_says_each_text_once_and_keeps_what_can_be_filtered_by()
    {
        var line = LineOf(log => log.Error("Stops with {ExitCode} ({Kind}): {Reason}", 5, "DeclaredGap", "Slot s is \"lost\"."));
        var json = JsonDocument.Parse(line).RootElement;
        Assert.Equal("Stops with 5 (DeclaredGap): Slot s is \"lost\".", json.GetProperty("RenderedMessage").GetString());
        Assert.Equal("Error", json.GetProperty("Level").GetString());
        Assert.Equal(5, json.GetProperty("Properties").GetProperty("ExitCode").GetInt32());
        Assert.Equal("DeclaredGap", json.GetProperty("Properties").GetProperty("Kind").GetString());
        Assert.True(json.GetProperty("Timestamp").GetDateTimeOffset() > DateTimeOffset.UnixEpoch);
        Assert.False(json.TryGetProperty("MessageTemplate", out _));
        Assert.Equal('\n', line[^1]);
    }

    [Fact]
    public void A_sentence_of_the_message_is_no_property_beside_it()
    {
        var line = LineOf(log => log.Warning("{Reason} Trying again in {Seconds} s", "The engine is away.", 0.2));
        Assert.Equal(2, line.Split("The engine is away.").Length);
        Assert.Equal(0.2, JsonDocument.Parse(line).RootElement.GetProperty("Properties").GetProperty("Seconds").GetDouble());
    }

    [Fact]
    public void An_exception_has_a_field_of_its_own()
    {
        var json = JsonDocument.Parse(LineOf(log => log.Fatal(new InvalidOperationException("broken"), "A defect"))).RootElement;
        Assert.Contains("broken", json.GetProperty("Exception").GetString(), StringComparison.Ordinal);
        Assert.Equal("A defect", json.GetProperty("RenderedMessage").GetString());
    }

    [Theory]
    [InlineData(true, LogFormat.Auto, false)]
    [InlineData(false, LogFormat.Auto, true)]
    [InlineData(true, LogFormat.Json, true)]
    [InlineData(false, LogFormat.Text, false)]
    public void The_setting_decides_and_without_it_the_terminal(bool terminal, LogFormat format, bool json)
    {
        var form = new LogForm(terminal);
        Assert.Equal(!terminal, form.IsJson);
        form.Use(format);
        Assert.Equal(json, form.IsJson);
    }

    private static string LineOf(Action<ILogger> write)
    {
        using var line = new StringWriter();
        using (var log = new LoggerConfiguration().WriteTo.Sink(new Lines(line)).CreateLogger())
            write(log);
        return line.ToString();
    }

    private sealed class Lines(StringWriter to) : ILogEventSink
    {
        private readonly JsonLines _format = new();

        public void Emit(LogEvent logEvent) => _format.Format(logEvent, to);
    }
}
