namespace Cdc.Expressions.Declaration;

/// <summary>What is chosen beside a declaration, so that nobody has to copy a preset for it.</summary>
public sealed record DeclarationSettings
{
    /// <summary>Stands for <c>{language}</c> in expressions: Odoo's code of a language, such as <c>id_ID</c>.</summary>
    public string Language { get; init; } = "en_US";

    /// <summary>Names of rules that send a row to quarantine, although the declaration only warns.</summary>
    public IReadOnlyList<string> Quarantine { get; init; } = [];

    /// <summary>As Odoo writes them: nothing that could end a literal of SQL.</summary>
    public static bool IsLanguage(string text) =>
        text.Length is > 1 and < 32 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '@' or '-');
}
