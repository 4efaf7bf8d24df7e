namespace Cdc.Tests.Support.Odoo.Methods;

/// <summary>
/// The stand-in runs no Python: it knows what a body does by its text. A body that was changed is unknown, so that nobody forgets to change
/// <see cref="ApplyChanges"/> with it, and to run the contract's tests against a real Odoo.
/// </summary>
internal static class KnownBodies
{
    /// <summary>The text that was run on real Odoo 16 to 19.</summary>
    private static readonly Lazy<string> ApplyChanges = new(() =>
        Bare(File.ReadAllText(SourceTree.PathOf("src/Odoo/Sequence/server-action.py")))
    );

    /// <summary>Deletes the cards of <c>cdc_gone</c>, which nobody may over the API.</summary>
    private const string Deleting = "env['loyalty.card'].sudo().browse(env.context['cdc_gone']).unlink()";

    public static bool IsDeleting(string code) => Bare(code) == Deleting;

    public static bool IsApplyChanges(string code) => Bare(code) == ApplyChanges.Value;

    /// <summary>Without comments, blank lines and spaces at an end of a line.</summary>
    private static string Bare(string code) =>
        string.Join('\n', code.Split('\n').Select(l => l.TrimEnd()).Where(l => l.Length > 0 && !l.TrimStart().StartsWith('#')));
}
