using System.Reflection;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Microsoft.Extensions.Configuration;

namespace Cdc.Host.Configuration;

/// <summary>
/// Fills option records by the names of their properties. .NET's own binder skips names it does not know and stops at the first value it
/// cannot read; here both are findings, and all of them are collected.
/// </summary>
internal sealed class OptionBinder(OptionOrigin origin, ICollection<Finding> findings)
{
    public T Bind<T>(IConfiguration root)
        where T : new() => (T)Bind(typeof(T), root);

    private object Bind(Type type, IConfiguration section)
    {
        var options = Activator.CreateInstance(type)!;
        var known = PropertiesOf(type);
        foreach (var child in section.GetChildren())
            if (known.TryGetValue(child.Key, out var property))
                Set(options, property, child);
            else
                AddUnknown(child, known.Keys);
        return options;
    }

    /// <summary>Derived properties, which cannot be set, are no options.</summary>
    public static Dictionary<string, PropertyInfo> PropertiesOf(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.CanWrite)
            .ToDictionary(p => p.Name, StringComparer.OrdinalIgnoreCase);

    public static bool IsSection(Type type) => type.IsClass && type != typeof(string);

    private void Set(object options, PropertyInfo property, IConfigurationSection child)
    {
        var isSection = child.GetChildren().Any();
        if (property.PropertyType == typeof(IReadOnlyDictionary<string, string>) && (isSection || child.Value is null or ""))
            property.SetValue(options, child.GetChildren().ToDictionary(c => c.Key, c => c.Value ?? ""));
        else if (SingleValueOf(property.PropertyType) is { } single && child.Value is not null)
            property.SetValue(options, BindBeside(property.PropertyType, single, child));
        else if (IsSection(property.PropertyType) && child.Value is null or "")
            property.SetValue(options, Bind(property.PropertyType, child));
        else if (IsSection(property.PropertyType) || isSection)
            Add(
                "option-shape",
                child,
                isSection ? "must be a single value, not an object or a list" : "must be an object with options",
                "See 'Configuration' in docs/commands.md."
            );
        else if (OptionValue.TryParse(property.PropertyType, child.Value, out var value))
            property.SetValue(options, value);
        else
            Add("option-value", child, $"cannot be read as {OptionValue.Describe(property.PropertyType)}", Remedy(child, property));
    }

    /// <summary>A section of which one option is written in place of the section; the environment may add the others.</summary>
    private object BindBeside(Type type, PropertyInfo single, IConfigurationSection section)
    {
        var options = Bind(type, section);
        if (section.GetSection(single.Name) is { Value: not null } spelled)
            findings.Add(
                new Finding(
                    "option-twice",
                    IsError: true,
                    $"{origin.Exactly(section.Path)} and {origin.Exactly(spelled.Path)} are the same option, said twice.",
                    "Keep one of them: which of them is meant, nothing says."
                )
            );
        single.SetValue(options, section.Value);
        return options;
    }

    private static PropertyInfo? SingleValueOf(Type type) =>
        type.GetCustomAttribute<SingleValueAttribute>() is { } single ? type.GetProperty(single.Property) : null;

    private static string Remedy(IConfigurationSection child, PropertyInfo property) =>
        $"Set {OptionOrigin.VariableOf(child.Path)} or \"{property.Name}\" to {OptionValue.Describe(property.PropertyType)}.";

    private void AddUnknown(IConfigurationSection child, IReadOnlyCollection<string> known) =>
        Add("option-unknown", child, "is not an option", NearestName.Remedy(child.Key, known, "Known here"));

    private void Add(string code, IConfigurationSection child, string what, string remedy) =>
        findings.Add(new Finding(code, IsError: true, $"{origin.Of(child.Path)} {what}.", remedy));
}
