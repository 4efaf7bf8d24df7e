using System.Text;
using Cdc.Capture.Stream;
using Cdc.Core.Entities;
using Xunit;
using static Cdc.Tests.Unit.Core.SampleChanges;

namespace Cdc.Tests.Unit.Capture;

/// <summary>Where a tuple has its key, whatever the key is made of.</summary>
public sealed class KeyPlacesTests
{
    private static readonly SourceColumn[] Columns = [new(0, "b", SourceType.Text), new(1, "id", SourceType.Integer)];

    private static KeyPlaces Hashed => new(-1, 0, new HashedKeyPlaces(Columns, [2, 0]));

    [Fact]
    public void It_has_its_own_columns_and_no_other()
    {
        Assert.Equal([false, true, false], Has(new KeyPlaces(1, -1)));
        Assert.Equal([true, false, true], Has(new KeyPlaces(2, 0)));
        Assert.Equal([true, false, true], Has(Hashed));

        static bool[] Has(KeyPlaces key) => [key.Has(0), key.Has(1), key.Has(2)];
    }

    /// <summary>Of a row that met another one's key only the key is known.</summary>
    [Fact]
    public void A_row_of_which_nothing_is_known_keeps_all_columns_of_its_key()
    {
        var row = new KeyRow(Cdc.Core.Changes.RowChangeKind.Rekey, Image("17", "a", "4"), default);
        foreach (var key in (KeyPlaces[])[new(0, 2), new(2, 0), Hashed])
            Assert.Equal(
                Image("17", Unchanged, "4").Span.ToArray(),
                new KeyTransaction(Schema(), key, 10, 1000).Unknown(row).Span.ToArray()
            );
    }

    [Fact]
    public void The_number_is_that_of_the_columns_in_their_order()
    {
        Assert.Equal(17, new KeyPlaces(0, -1).Of(Image("17", "a", "4").Span, out var spelled));
        Assert.Null(spelled);
        Assert.Equal(KeyPair.Number(4, 17), new KeyPlaces(2, 0).Of(Image("17", "a", "4").Span, out spelled));
        Assert.Null(spelled);
        Assert.Equal(KeyHash.Number("4\\,,17"u8), Hashed.Of(Image("17", "a", "4,").Span, out spelled));
        Assert.Equal("4\\,,17", Encoding.UTF8.GetString(spelled!));
    }

    [Fact]
    public void What_is_large_and_has_not_changed_is_taken_from_the_old_key()
    {
        Assert.Equal(KeyHash.Number("large,17"u8), Hashed.Of(Image("17", "a", Unchanged).Span, Image("17", null, "large").Span, out _));
        Assert.Null(Hashed.Of(Image("17", "a", Unchanged).Span, default, out _));
        Assert.Null(Hashed.Of(Image("17", "a", null).Span, Image("17", null, "large").Span, out _));
    }
}
