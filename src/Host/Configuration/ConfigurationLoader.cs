using System.Collections;
using System.Text.Json;
using Cdc.Core.Failures;
using Microsoft.Extensions.Configuration;

namespace Cdc.Host.Configuration;

/// <summary>cdc.json, overridden by environment variables. Wrong ones are refused with every error at once.</summary>
internal static class ConfigurationLoader
{
    public const string DefaultFile = "cdc.json";

    /// <param name="file">Null: cdc.json in the current folder, which may be missing.</param>
    /// <exception cref="CdcException">Something is wrong; the kind is Configuration.</exception>
    public static CdcOptions Load(string? file, IReadOnlyDictionary<string, string> environment, Needs needs)
    {
        var findings = new List<Finding>();
        var ours = OneOfEach(environment, findings);
        var origin = new OptionOrigin(file ?? DefaultFile, ours);
        var configuration = Read(file, ours);
        OneDeclaration(configuration, origin, findings);
        var options = new OptionBinder(origin, findings).Bind<CdcOptions>(configuration);
        new OptionRules(origin, findings).Check(options, needs);
        if (findings.Count > 0)
            throw new FindingsException(FailureKind.Configuration, $"The configuration has {findings.Count} error(s):", findings);
        return ConnectionForms.InNpgsqlForm(options);
    }

    /// <summary>Two that differ in upper and lower case name one option: which of them is meant, nothing says.</summary>
    private static Dictionary<string, string> OneOfEach(IReadOnlyDictionary<string, string> environment, List<Finding> findings)
    {
        var options = environment
            .Where(v => v.Key.StartsWith(OptionOrigin.Prefix, StringComparison.OrdinalIgnoreCase))
            .GroupBy(v => OptionOrigin.PathOf(v.Key), StringComparer.OrdinalIgnoreCase)
            .ToList();
        foreach (var twice in options.Where(o => o.Count() > 1))
        {
            var names = twice.Select(v => v.Key).Order(StringComparer.Ordinal).ToList();
            findings.Add(
                new Finding(
                    "option-twice",
                    IsError: true,
                    $"Environment variables {string.Join(" and ", names)} are the same option in two spellings.",
                    $"Keep one of them, and unset the others: unset {Other(names)}"
                )
            );
        }
        return options.Select(o => o.First()).ToDictionary(v => v.Key, v => v.Value);
    }

    /// <summary>
    /// Anywhere else the environment wins over the file. Which tables are followed is not left to that: another declaration than the one that
    /// stands in the file stops tables and begins others.
    /// </summary>
    private static void OneDeclaration(IConfigurationRoot configuration, OptionOrigin origin, List<Finding> findings)
    {
        foreach (var path in (string[])[nameof(CdcOptions.Entities), $"{nameof(CdcOptions.Entities)}:{nameof(EntityOptions.File)}"])
        {
            var said = configuration.Providers.Select(p => p.TryGet(path, out var value) ? value : null).OfType<string>().ToList();
            if (said.Distinct(StringComparer.Ordinal).Count() > 1 && origin.VariableAt(path) is { } variable)
                findings.Add(
                    new Finding(
                        "option-twice",
                        IsError: true,
                        $"Environment variable {variable} names the declaration {said[^1]}, and {origin.InFile(path)} names {said[0]}.",
                        $"Keep one of them: take it out of the file, or unset {variable}."
                    )
                );
        }
    }

    public static IReadOnlyDictionary<string, string> ProcessEnvironment() =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(v => (string)v.Key, v => (string?)v.Value ?? "");

    /// <summary>The documentation's spelling is kept: it sorts behind one in capitals.</summary>
    private static string Other(List<string> names) =>
        names.FirstOrDefault(n => !n.StartsWith(OptionOrigin.Prefix, StringComparison.Ordinal)) ?? names[0];

    private static IConfigurationRoot Read(string? file, Dictionary<string, string> environment)
    {
        try
        {
            return new ConfigurationBuilder()
                .AddJsonStream(Open(file))
                .AddInMemoryCollection(environment.Select(v => KeyValuePair.Create(OptionOrigin.PathOf(v.Key), (string?)v.Value)))
                .Build();
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CdcException(
                FailureKind.Configuration,
                $"The configuration file {file} does not exist.",
                "Name an existing file with --config, or leave --config out.",
                missing
            );
        }
        catch (Exception failure)
            when (failure is JsonException or InvalidDataException or FormatException or IOException or UnauthorizedAccessException)
        {
            throw new CdcException(
                FailureKind.Configuration,
                $"The configuration file {file ?? DefaultFile} cannot be read{Where(failure)}.",
                "It must be a JSON object; comments are allowed. Fix it and run the command again.",
                failure
            );
        }
    }

    /// <summary>.NET's own reader of files passes over those whose name, or whose folder's, begins with a dot.</summary>
    private static MemoryStream Open(string? file)
    {
        var path = Path.GetFullPath(file ?? DefaultFile);
        return new MemoryStream(file is null && !File.Exists(path) ? "{}"u8.ToArray() : File.ReadAllBytes(path));
    }

    /// <summary>
    /// The parser's message may quote the file, and with it a password: only the place and the kind of error are reported.
    /// </summary>
    private static string Where(Exception? failure)
    {
        for (; failure is not null; failure = failure.InnerException)
            if (failure is JsonException { LineNumber: { } line })
                return $": not valid JSON near line {line + 1}";
            else if (failure is IOException or UnauthorizedAccessException && failure is not InvalidDataException)
                return ": " + failure.GetType().Name;
        return "";
    }
}
