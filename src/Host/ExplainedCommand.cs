using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Cdc.Host;

/// <summary>A command whose text has a first paragraph for lists, and more (examples) that only its own --help shows.</summary>
internal sealed class ExplainedCommand(string name, string text) : Command(name, ExplainedHelp.Summary(text))
{
    public string Details { get; } = ExplainedHelp.Details(text);
}

/// <summary>The library's help, and after it what the command itself has to say.</summary>
internal sealed class ExplainedHelp(HelpAction standard, string rootDetails) : SynchronousCommandLineAction
{
    public static void AddTo(RootCommand root, string rootText)
    {
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new ExplainedHelp((HelpAction)help.Action!, Details(rootText));
    }

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var code = standard.Invoke(parseResult);
        var details =
            parseResult.CommandResult.Command is ExplainedCommand command ? command.Details
            : parseResult.CommandResult.Command is RootCommand ? rootDetails
            : "";
        if (details.Length > 0)
            parseResult.InvocationConfiguration.Output.WriteLine(details + Environment.NewLine);
        return code;
    }

    public static string Summary(string text) => text.Split("\n\n", 2)[0].ReplaceLineEndings(" ");

    public static string Details(string text) => text.Split("\n\n", 2) is [_, var details] ? details : "";
}
