using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Cdc.Core.Failures;

namespace Cdc.Cutover.Plans;

/// <summary>Reads a plan, and writes it with its defaults.</summary>
public static class PlanFile
{
    private static readonly JsonSerializerOptions Form = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        // The same text, and so the same hash, on every machine.
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        RespectNullableAnnotations = true,
        // Of a value that is there twice, nobody knows which is meant.
        AllowDuplicateProperties = false,
    };

    /// <exception cref="CdcException">Configuration: it cannot be read, or has errors; all of them are said.</exception>
    public static CutoverPlan Load(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CdcException(FailureKind.Configuration, $"The plan {path} cannot be read: {e.Message}", "Name a JSON file.", e);
        }
    }

    /// <param name="name">Of the file, for messages.</param>
    /// <exception cref="CdcException">Configuration: as <see cref="Load"/>.</exception>
    public static CutoverPlan Parse(string text, string name)
    {
        CutoverPlan? plan;
        try
        {
            plan = JsonSerializer.Deserialize<CutoverPlan>(text, Form);
        }
        catch (JsonException e)
        {
            throw new CdcException(
                FailureKind.Configuration,
                $"The plan {name} is not JSON of a plan's shape: {e.Message}",
                "docs/cutover.md has the shape.",
                e
            );
        }
        var errors = plan is null ? ["it is empty"] : PlanCheck.Errors(plan);
        return errors.Count == 0
            ? plan!
            : throw new CdcException(
                FailureKind.Configuration,
                $"The plan {name} cannot be used:{string.Concat(errors.Select(e => $"{Environment.NewLine}  - {e}"))}",
                "Correct the file, then run 'cdc cutover plan FILE' again. docs/cutover.md has the shape."
            );
    }

    /// <summary>All values, also those that are defaults: what is kept, and hashed.</summary>
    public static string Text(CutoverPlan plan) => JsonSerializer.Serialize(plan, Form);

    /// <summary>Of <see cref="Text"/>, in hexadecimal.</summary>
    public static string Sha256(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
