using Cdc.Tests.Support;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Reconcile;

/// <summary>Many differences of random kinds at random places: all of them, no others, with field and both values.</summary>
public sealed class RandomDriftTests(TestServers servers)
{
    private const int Rows = 20_000;
    private const int Planted = 1000;

    [Fact]
    public async Task A_thousand_planted_differences_are_found_with_field_and_values()
    {
        var seed = TestSeed.Draw();
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(Rows));
        bed.Options = bed.Options with { SliceRows = 5000 };
        var planted = await PlantedDrift.PlantAsync(bed.Engine, 1, Rows, Planted, seed);

        var compared = await bed.CompareAsync("card");

        Assert.Equal(Planted, compared.Numbers.Drift);
        Assert.Equal(
            planted.Expected,
            compared.Drift.Select(d => PlantedDrift.Describe(d.Key, d.Kind.ToString(), d.Field, d.OdooValue, d.EngineValue)).Order()
        );
    }
}
