using System.Reflection;

namespace Cdc.Odoo.Sequence;

/// <summary>What the way "sequence" creates in Odoo, by the names it is found again.</summary>
internal static class SequenceNames
{
    public const string CardModel = "loyalty.card";
    public const string HistoryModel = "loyalty.history";
    public const string NumberField = "x_cdc_seq";
    public const string ReferenceField = "x_cdc_ref";
    public const string Group = "CDC engine";
    public const string Action = "CDC: apply changes";
    public const string Parameter = "cdc.cards";
    public const string ParameterValue = "registry of cards made by the engine; do not delete";

    /// <summary>The action's text.</summary>
    public static string Code { get; } = ReadCode();

    private static string ReadCode()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("server-action.py")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
