using Cdc.Log;

namespace Cdc.Host;

/// <summary>The form of log lines (<c>Log:Format</c>): what suits stderr, until the configuration is read.</summary>
/// <param name="terminal">Stderr is one.</param>
internal sealed class LogForm(bool terminal)
{
    private volatile bool _isJson = !terminal;

    public bool IsJson => _isJson;

    public void Use(LogFormat format) =>
        _isJson = format switch
        {
            LogFormat.Text => false,
            LogFormat.Json => true,
            _ => !terminal,
        };
}
