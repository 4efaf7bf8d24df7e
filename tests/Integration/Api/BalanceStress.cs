using System.Globalization;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Api;

/// <summary>
/// Reads of every kind while cards change as fast as they can and connections are cut at random: no card ever goes back, and a read that
/// demands a write has it. Nor does the moment step back that answers are dated with.
/// </summary>
/// <param name="trouble">Done now and then, beside the cut connections of the engine.</param>
internal sealed class BalanceStress(Shop shop, Func<Random, Task>? trouble = null)
{
    private const int Writers = 3;

    private static readonly TimeSpan Duration =
        Environment.GetEnvironmentVariable("CDC_TEST_LONG") == "1" ? TimeSpan.FromMinutes(3) : TimeSpan.FromSeconds(8);

    private readonly long[] _seen = new long[Writers + 1];
    private readonly long[] _written = [.. Enumerable.Repeat(999L, Writers + 1)];
    private readonly int _seed = TestSeed.Draw();
    private long _dated;
    private long _reads;
    private long _demanded;

    /// <summary>Ends the Api's connections to a database, each with this likelihood.</summary>
    public static Task CutAsync(TestDatabase database, double likelihood, Random random) =>
        database.ExecuteAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"SELECT setseed({random.NextDouble()}); SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'cdc api%' AND datname = current_database() AND random() < {likelihood}"
            ),
            Shop.Ct
        );

    /// <summary>Again and again, if it must be: cards go on where they were.</summary>
    public async Task RunAsync()
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(Shop.Ct);
        ending.CancelAfter(Duration);
        var readers = Enumerable.Range(0, 6).Select(reader => RepeatAsync(Reader(reader), ending.Token));
        var writers = Enumerable.Range(1, Writers).Select(card => Task.Run(() => WriteAsync(card, ending.Token), Shop.Ct));
        await Task.WhenAll([.. readers, .. writers, RepeatAsync(Disturber(), ending.Token)]);
        // How many they are is the machine's affair.
        Assert.True(_reads > 0 && _demanded > 0, $"{_reads} reads, {_demanded} demanded: nothing was tested");
    }

    private Func<Task> Reader(int reader)
    {
        var random = new Random(_seed + reader);
        return () => ReadAsync(reader, 1 + random.Next(Writers));
    }

    private async Task ReadAsync(int reader, int card)
    {
        var (floor, dated) = (Volatile.Read(ref _seen[card]), Volatile.Read(ref _dated));
        var answer = (reader % 3) switch
        {
            2 => await shop.GetAsync($"/cards/odoo/{card}/balance"),
            _ => await shop.BalanceAsync($"card {card}"),
        };
        if (answer.Status == 503)
            return;
        Assert.True(
            answer.Status == 200,
            $"{answer}\n{string.Join('\n', shop.Bed.Log.Lines.Where(l => l.Contains("A request failed", StringComparison.Ordinal)))}"
        );
        var points = (long)decimal.Parse(answer["points"]!, CultureInfo.InvariantCulture);
        Assert.True(points >= floor, $"card {card} showed {floor} before this read began, and now {points}: {answer}");
        Raise(ref _seen[card], points);
        if (answer["asOf"] is not null)
        {
            var asOf = answer.Json.GetProperty("asOf").GetDateTimeOffset().Ticks;
            Assert.True(
                asOf >= dated,
                $"an answer was as of {new DateTime(dated):O} before this read began, and this one is as of {new DateTime(asOf):O}: {answer}"
            );
            Raise(ref _dated, asOf);
        }
        Interlocked.Increment(ref _reads);
    }

    private static void Raise(ref long highest, long value)
    {
        for (var seen = Volatile.Read(ref highest); value > seen; seen = Volatile.Read(ref highest))
            Interlocked.CompareExchange(ref highest, value, seen);
    }

    /// <summary>Each changes its own card, so that a read is often overtaken by the next change.</summary>
    private async Task WriteAsync(int card, CancellationToken ending)
    {
        while (!ending.IsCancellationRequested)
        {
            var value = ++_written[card];
            var position = await shop.ChangeAsync($"UPDATE loyalty_card SET points = {value} WHERE id = {card}");
            if (value % 50 != 0)
                continue;
            var answer = await shop.BalanceAsync($"card {card}", $"?min-position={position}&wait=10");
            if (answer.Status == 200)
                Assert.True(answer["points"] == $"{value}.00", $"{value}: {answer}");
            else
                Assert.Equal(503, answer.Status);
            Interlocked.Increment(ref _demanded);
        }
    }

    private Func<Task> Disturber()
    {
        var random = new Random(_seed);
        return async () =>
        {
            await CutAsync(shop.Engine, 0.1, random);
            if (trouble is not null)
                await trouble(random);
            await Task.Delay(random.Next(50, 900), CancellationToken.None);
        };
    }

    private static Task RepeatAsync(Func<Task> act, CancellationToken ending) =>
        Task.Run(
            async () =>
            {
                while (!ending.IsCancellationRequested)
                    await act();
            },
            Shop.Ct
        );
}
