using Cdc.Host.Terminals;

namespace Cdc.Host;

/// <summary>The environment of a command: the parts it calls, the terminal, the environment variables, the clock.</summary>
internal sealed record CommandHost(Parts Parts, Terminal Terminal, IReadOnlyDictionary<string, string> Environment, TimeProvider Time);
