using System.Globalization;
using System.Reflection;

namespace Cdc.Testing.Processes;

/// <summary>Option records as environment variables of a <c>cdc</c> process, each property under its own name.</summary>
public static class OptionVariables
{
    /// <summary>Every property that can be set, whether it was or not.</summary>
    /// <param name="section">Of cdc.json, such as <c>Source</c>.</param>
    public static IEnumerable<KeyValuePair<string, string?>> Of(string section, object options) =>
        options
            .GetType()
            .GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.CanWrite)
            .SelectMany(p => Of($"CDC__{section}__{p.Name}", p.GetValue(options), p.PropertyType));

    private static IEnumerable<KeyValuePair<string, string?>> Of(string name, object? value, Type type) =>
        value switch
        {
            // A variable's name has no dots; cdc takes underscores for them.
            IReadOnlyDictionary<string, string> entries => entries.Select(e => new KeyValuePair<string, string?>(
                $"{name}__{e.Key.Replace('.', '_')}",
                e.Value
            )),
            string or bool or Enum => [new(name, value.ToString())],
            TimeOnly time => [new(name, time.ToString("HH:mm:ss", CultureInfo.InvariantCulture))],
            IFormattable number => [new(name, number.ToString(null, CultureInfo.InvariantCulture))],
            _ => throw new NotSupportedException($"{name}: options of type {type.Name} are not written as text."),
        };
}
