using System.Collections;
using System.Globalization;
using System.Text;

namespace Cdc.Tests.Support.Odoo.Python;

/// <summary>Values as Python's <c>repr()</c> writes them: they stand in Odoo's messages.</summary>
internal static class PyRepr
{
    /// <summary>Beyond so many digits before the point Python writes an exponent.</summary>
    private const int MostDigits = 16;

    public static string Of(object? value) =>
        value switch
        {
            null => "None",
            bool flag => flag ? "True" : "False",
            double number => OfFloat(number),
            string text => OfText(text),
            PyDict dict => $"{{{string.Join(", ", dict.Select(p => $"{OfText(p.Key)}: {Of(p.Value)}"))}}}",
            IEnumerable list => $"[{string.Join(", ", list.Cast<object?>().Select(Of))}]",
            _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
        };

    /// <summary>Ids as Odoo shows records: <c>(1,)</c>, <c>(1, 2)</c>.</summary>
    public static string OfTuple(IReadOnlyCollection<long> ids) => ids.Count == 1 ? $"({ids.First()},)" : $"({string.Join(", ", ids)})";

    /// <summary>The shortest digits that are the same double, as in .NET, in Python's form.</summary>
    public static string OfFloat(double number)
    {
        if (double.IsNaN(number))
            return "nan";
        if (double.IsInfinity(number))
            return number > 0 ? "inf" : "-inf";
        var plain = number.ToString("R", CultureInfo.InvariantCulture);
        var (digits, exponent) = Parts(plain.TrimStart('-'));
        var sign = plain[0] == '-' ? "-" : "";
        if (number == 0)
            return sign + "0.0";
        if (exponent is < -4 or >= MostDigits)
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{sign}{digits[0]}{(digits.Length > 1 ? "." + digits[1..] : "")}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}"
            );
        if (exponent < 0)
            return $"{sign}0.{new string('0', -exponent - 1)}{digits}";
        var whole = digits.PadRight(exponent + 1, '0');
        return $"{sign}{whole[..(exponent + 1)]}.{(whole.Length > exponent + 1 ? whole[(exponent + 1)..] : "0")}";
    }

    private static string OfText(string text)
    {
        // Python prefers single quotes, but for a text that has them and no double ones.
        var quote = text.Contains('\'', StringComparison.Ordinal) && !text.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        var to = new StringBuilder().Append(quote);
        foreach (var c in text)
            _ = c switch
            {
                '\\' => to.Append("\\\\"),
                '\n' => to.Append("\\n"),
                '\r' => to.Append("\\r"),
                '\t' => to.Append("\\t"),
                < ' ' or '\x7f' => to.Append(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}"),
                _ when c == quote => to.Append('\\').Append(c),
                _ => to.Append(c),
            };
        return to.Append(quote).ToString();
    }

    /// <summary>Digits without zeros at either end, and the power of ten of the first of them.</summary>
    private static (string Digits, int Exponent) Parts(string plain)
    {
        var parts = plain.Split('E');
        var point = parts[0].IndexOf('.');
        var all = parts[0].Replace(".", "", StringComparison.Ordinal);
        var digits = all.TrimStart('0');
        var before = (point < 0 ? all.Length : point) + (parts.Length > 1 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : 0);
        return (digits.TrimEnd('0'), before - (all.Length - digits.Length) - 1);
    }
}
