namespace Cdc.Engine.Tables;

/// <summary>
/// States as the engine's tables keep them: the name of the enum's member in lower case. The migrations' CHECK constraints list them.
/// </summary>
public static class States
{
    public static string Word<T>(this T state)
        where T : struct, Enum => state.ToString().ToLowerInvariant();

    /// <exception cref="ArgumentException">No such state: the engine's schema is newer than this program.</exception>
    public static T Of<T>(string word)
        where T : struct, Enum => Enum.Parse<T>(word, ignoreCase: true);
}
