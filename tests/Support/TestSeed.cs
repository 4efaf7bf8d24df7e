using System.Globalization;

namespace Cdc.Tests.Support;

/// <summary>
/// The seed of a randomised test: that of the variable <c>CDC_TEST_SEED</c>, or any. A failed test shows it, so that
/// <c>CDC_TEST_SEED=n ./dev test NAME</c> draws the same again (how sessions interleave is the machine's).
/// </summary>
public static class TestSeed
{
    private const string Variable = "CDC_TEST_SEED";

    /// <summary>True: one seed is to be played again.</summary>
    public static bool IsGiven => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(Variable));

    /// <exception cref="FormatException">The variable is no whole number from 0 to 2147483647.</exception>
    public static int Draw() => Show(IsGiven ? Read(Environment.GetEnvironmentVariable(Variable)!) : Random.Shared.Next());

    /// <summary>For tests that count their seed up.</summary>
    public static int Show(int seed)
    {
        // xunit shows what a test writes to the console with its failure.
        Console.WriteLine(Describe(seed));
        return seed;
    }

    /// <summary>As it is set to play it again.</summary>
    public static string Describe(int seed) => string.Create(CultureInfo.InvariantCulture, $"{Variable}={seed}");

    private static int Read(string given) =>
        int.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out var seed)
            ? seed
            : throw new FormatException($"{Variable} is '{given}', and must be a whole number from 0 to {int.MaxValue}.");
}
