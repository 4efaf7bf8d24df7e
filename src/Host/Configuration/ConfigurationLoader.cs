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
        var ours = environment
            .Where(v => v.Key.StartsWith(OptionOrigin.Prefix, StringComparison.OrdinalIgnoreCase))
            .ToDictionary(v => v.Key, v => v.Value);
        var origin = new OptionOrigin(file ?? DefaultFile, ours);
        var findings = new List<Finding>();
        var options = new OptionBinder(origin, findings).Bind<CdcOptions>(Read(file, ours));
        new OptionRules(origin, findings).Check(options, needs);
        if (findings.Count > 0)
            throw new FindingsException(FailureKind.Configuration, $"The configuration has {findings.Count} error(s):", findings);
        return options;
    }

    public static IReadOnlyDictionary<string, string> ProcessEnvironment() =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(v => (string)v.Key, v => (string?)v.Value ?? "");

    private static IConfigurationRoot Read(string? file, Dictionary<string, string> environment)
    {
        try
        {
            return new ConfigurationBuilder()
                .AddJsonFile(Path.GetFullPath(file ?? DefaultFile), optional: file is null, reloadOnChange: false)
                .AddInMemoryCollection(environment.Select(v => KeyValuePair.Create(OptionOrigin.PathOf(v.Key), (string?)v.Value)))
                .Build();
        }
        catch (FileNotFoundException missing)
        {
            throw new CdcException(
                FailureKind.Configuration,
                $"The configuration file {file} does not exist.",
                "Name an existing file with --config, or leave --config out.",
                missing
            );
        }
        catch (Exception failure) when (failure is InvalidDataException or FormatException or IOException or UnauthorizedAccessException)
        {
            throw new CdcException(
                FailureKind.Configuration,
                $"The configuration file {file ?? DefaultFile} cannot be read{Where(failure)}.",
                "It must be a JSON object; comments are allowed. Fix it and run the command again.",
                failure
            );
        }
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
