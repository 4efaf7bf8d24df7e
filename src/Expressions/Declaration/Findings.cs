using Cdc.Core.Failures;

namespace Cdc.Expressions.Declaration;

/// <summary>Gathers everything that is wrong in one declaration file, by line.</summary>
internal sealed class Findings(string file)
{
    private readonly List<(FileLine Line, Finding Finding)> _all = [];

    public bool Any => _all.Count > 0;

    public void Add(string code, FileLine line, string message, string remedy) =>
        _all.Add((line, new Finding(code, IsError: true, $"{line}: {message}", remedy)));

    public FindingsException ToException() =>
        new(
            FailureKind.Configuration,
            $"{file} is not a valid entities declaration.",
            [.. _all.OrderBy(f => f.Line).Select(f => f.Finding)]
        );
}
