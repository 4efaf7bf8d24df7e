using Cdc.Tests.Support.Odoo.Errors;

namespace Cdc.Tests.Support.Odoo.Methods;

/// <summary>Python's operators over values of JSON, with its errors.</summary>
internal static class PyOperators
{
    public static bool IsTrue(object? value) =>
        value switch
        {
            null or false => false,
            long whole => whole != 0,
            double number => number != 0,
            string text => text.Length > 0,
            List<object?> list => list.Count > 0,
            PyDict dict => dict.Count > 0,
            _ => true,
        };

    public static object? Item(PyDict dict, string key) =>
        dict.TryGetValue(key, out var value) ? value : throw new PyError("KeyError", key);

    public static bool IsAtMost(object? left, object? right) =>
        left is long a && right is long b ? a <= b : Number(left, right, "<=") <= Number(right, left, "<=", isRight: true);

    public static bool IsLess(object? left, double right) => Number(left, right, "<") < right;

    public static new bool Equals(object? left, object? right) =>
        left is long a && right is long b ? a == b : left is long or double or bool && ToDouble(left) == ToDouble(right!);

    public static bool IsWhole(object? value) => value is long or bool || value is double number && Math.Floor(number) == number;

    /// <exception cref="PyError">It is no number.</exception>
    public static double Abs(object? value) =>
        value is long or double or bool
            ? Math.Abs(ToDouble(value))
            : throw new PyError("TypeError", $"bad operand type for abs(): '{TypeName(value)}'");

    public static double ToDouble(object value) =>
        value switch
        {
            long whole => whole,
            double number => number,
            bool flag => flag ? 1 : 0,
            _ => double.NaN,
        };

    private static double Number(object? value, object? other, string sign, bool isRight = false) =>
        value is long or double or bool
            ? ToDouble(value)
            : throw new PyError(
                "TypeError",
                $"'{sign}' not supported between instances of '{TypeName(isRight ? other : value)}' and '{TypeName(isRight ? value : other)}'"
            );

    private static string TypeName(object? value) =>
        value switch
        {
            null => "NoneType",
            bool => "bool",
            long => "int",
            double => "float",
            string => "str",
            PyDict => "dict",
            _ => "list",
        };
}
