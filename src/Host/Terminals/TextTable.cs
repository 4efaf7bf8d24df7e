using Spectre.Console;

namespace Cdc.Host.Terminals;

/// <summary>
/// Rows under headings: a table on a terminal, aligned plain lines otherwise (never wrapped or cut, so that grep and awk work).
/// </summary>
internal sealed class TextTable(params string[] headings)
{
    private readonly List<string[]> _rows = [];

    public void Add(params string[] cells) => _rows.Add(cells);

    public void Write(Terminal terminal)
    {
        if (terminal.OutIsTerminal)
            terminal.Screen.Write(ToTable());
        else
            WritePlain(terminal.Out);
    }

    public Table ToTable()
    {
        var table = new Table().Border(TableBorder.Rounded);
        foreach (var heading in headings)
            table.AddColumn(new TableColumn(Markup.Escape(heading)));
        foreach (var row in _rows)
            table.AddRow(row.Select(Markup.Escape).ToArray());
        return table;
    }

    public void WritePlain(TextWriter writer)
    {
        var lines = _rows.Prepend(headings).ToList();
        var widths = headings.Select((_, i) => lines.Max(line => line[i].Length)).ToArray();
        foreach (var line in lines)
            writer.WriteLine(string.Join("  ", line.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd());
    }
}
