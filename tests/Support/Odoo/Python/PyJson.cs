using System.Collections;
using System.Globalization;
using System.Text;

namespace Cdc.Tests.Support.Odoo.Python;

/// <summary>
/// JSON as Python's <c>json</c> reads and writes it: NaN and infinities, integers apart from doubles, keys in their order. Values are null,
/// bool, long, double, string, <c>List&lt;object?&gt;</c> and <see cref="PyDict"/>.
/// </summary>
public static class PyJson
{
    /// <exception cref="FormatException">With Python's own words.</exception>
    public static object? Parse(string text) => new PyJsonReader(text).Read();

    public static string Write(object? value)
    {
        var to = new StringBuilder();
        Write(to, value);
        return to.ToString();
    }

    private static void Write(StringBuilder to, object? value)
    {
        switch (value)
        {
            case null:
                to.Append("null");
                break;
            case bool flag:
                to.Append(flag ? "true" : "false");
                break;
            case double number:
                to.Append(
                    double.IsNaN(number) ? "NaN"
                    : double.IsPositiveInfinity(number) ? "Infinity"
                    : double.IsNegativeInfinity(number) ? "-Infinity"
                    : PyRepr.OfFloat(number)
                );
                break;
            case string text:
                WriteText(to, text);
                break;
            case PyDict dict:
                WriteAll(to, '{', dict, pair => (pair.Key, pair.Value), '}');
                break;
            case IEnumerable list:
                WriteAll(to, '[', list.Cast<object?>(), item => (null, item), ']');
                break;
            default:
                to.Append(Convert.ToString(value, CultureInfo.InvariantCulture));
                break;
        }
    }

    private static void WriteAll<T>(
        StringBuilder to,
        char open,
        IEnumerable<T> items,
        Func<T, (string? Key, object? Value)> part,
        char close
    )
    {
        to.Append(open);
        var isFirst = true;
        foreach (var item in items)
        {
            if (!isFirst)
                to.Append(", ");
            isFirst = false;
            var (key, value) = part(item);
            if (key is not null)
            {
                WriteText(to, key);
                to.Append(": ");
            }
            Write(to, value);
        }
        to.Append(close);
    }

    private static void WriteText(StringBuilder to, string text)
    {
        to.Append('"');
        foreach (var c in text)
            _ = c switch
            {
                '"' => to.Append("\\\""),
                '\\' => to.Append("\\\\"),
                '\n' => to.Append("\\n"),
                '\r' => to.Append("\\r"),
                '\t' => to.Append("\\t"),
                '\b' => to.Append("\\b"),
                '\f' => to.Append("\\f"),
                < ' ' => to.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => to.Append(c),
            };
        to.Append('"');
    }
}
