using Cdc.Apply.Rows;
using Cdc.Core.Changes;
using Xunit;
using static Cdc.Tests.Unit.Core.SampleChanges;

namespace Cdc.Tests.Unit.Apply;

public sealed class BatchFolderTests
{
    private readonly BatchFolder _batch = new(2);

    private FoldedRow Only => Assert.Single(_batch.Of(0)).Value;

    [Fact]
    public void The_newest_image_wins_and_every_update_is_counted()
    {
        Add(RowChangeKind.Insert, 1, "1", "a");
        Add(RowChangeKind.Update, 2, "1", "b");
        Add(RowChangeKind.Update, 3, "1", "c");
        Assert.Equal((3L, 2, RowChangeKind.Insert), (Only.Write!.Position.Ordinal, Only.Updates, Only.Kind));
        Assert.Null(Only.Older);
        Assert.Null(Only.Delete);
    }

    /// <summary>Of keys that are known by a hash.</summary>
    [Fact]
    public void Two_keys_of_one_number_in_one_batch_are_found()
    {
        _batch.Add(Hashed(RowChangeKind.Insert, "a"));
        _batch.Add(Hashed(RowChangeKind.Update, "a"));
        _batch.Add(Hashed(RowChangeKind.Delete, "a"));
        Assert.Null(_batch.CollisionOf(0));
        _batch.Add(Hashed(RowChangeKind.Insert, "b"));
        Assert.Equal(7, _batch.CollisionOf(0));
        Assert.Null(_batch.CollisionOf(1));
        _batch.Clear();
        Assert.Null(_batch.CollisionOf(0));

        static RowChange Hashed(RowChangeKind kind, string key) =>
            new()
            {
                Schema = Schema(),
                Kind = kind,
                Key = 7,
                SpelledKey = System.Text.Encoding.UTF8.GetBytes(key),
                Position = At(100),
                Image = kind == RowChangeKind.Delete ? default : Image("7", key),
                CommitMicros = 0,
            };
    }

    [Fact]
    public void What_an_update_leaves_unchanged_is_kept_in_the_images_before_it()
    {
        Add(RowChangeKind.Insert, 1, "1", "a", "large");
        Add(RowChangeKind.Update, 2, "1", "b", Unchanged);
        Add(RowChangeKind.Update, 3, "1", "c", Unchanged);
        Assert.Equal([2L, 1L], [Only.Older!.Change.Position.Ordinal, Only.Older.Next!.Change.Position.Ordinal]);
        Assert.Null(Only.Older.Next.Next);
    }

    [Fact]
    public void A_whole_image_needs_none_before_it()
    {
        Add(RowChangeKind.Update, 1, "1", "a", Unchanged);
        Add(RowChangeKind.Update, 2, "1", "b", "large");
        Assert.Null(Only.Older);
        Assert.Equal(2, Only.Updates);
    }

    [Fact]
    public void A_delete_takes_everything_before_it_along()
    {
        Add(RowChangeKind.Insert, 1, "1", "a");
        Add(RowChangeKind.Update, 2, "1", "b");
        Add(RowChangeKind.Delete, 3);
        Assert.Equal(3, Only.Delete!.Position.Ordinal);
        Assert.Null(Only.Write);
        Assert.Equal(0, Only.Updates);
    }

    [Fact]
    public void A_row_inserted_again_is_a_delete_and_a_new_row()
    {
        Add(RowChangeKind.Update, 1, "1", "a", Unchanged);
        Add(RowChangeKind.Delete, 2);
        Add(RowChangeKind.Insert, 3, "1", "b");
        Add(RowChangeKind.Update, 4, "1", "c", Unchanged);
        Assert.Equal((2L, 4L, 1), (Only.Delete!.Position.Ordinal, Only.Write!.Position.Ordinal, Only.Updates));
        Assert.Equal(3, Only.Older!.Change.Position.Ordinal);
        Assert.Null(Only.Older.Next);
    }

    [Fact]
    public void A_row_that_came_by_a_key_update_counts_it_and_stays_known_as_such()
    {
        Add(RowChangeKind.Rekey, 1, "1", "a", Unchanged);
        Add(RowChangeKind.Update, 2, "1", "b", Unchanged);
        Assert.Equal((RowChangeKind.Rekey, 2), (Only.Kind, Only.Updates));
    }

    [Fact]
    public void Rows_read_in_a_chunk_and_streamed_ones_are_not_folded_together()
    {
        var read = Row(RowChangeKind.Read, 1, values: ["1"]);
        var streamed = Row(RowChangeKind.Update, 2, values: ["2"]);
        Assert.True(_batch.Accepts(read));
        _batch.Add(read);
        Assert.True(_batch.Accepts(read));
        Assert.False(_batch.Accepts(streamed));
        _batch.Clear();
        Assert.True(_batch.Accepts(streamed));
    }

    [Fact]
    public void Entities_are_apart_and_what_is_cleared_is_empty()
    {
        _batch.Add(Row(RowChangeKind.Insert, 1, values: ["1"]));
        _batch.Add(Row(RowChangeKind.Insert, 1, entity: 1, values: ["1"]));
        Assert.Equal((2, 1, 1), (_batch.Count, _batch.Of(0).Count, _batch.Of(1).Count));
        Assert.True(_batch.Bytes > 0);
        _batch.Clear();
        Assert.Equal((0, 0, 0L), (_batch.Count, _batch.Of(0).Count, _batch.Bytes));
    }

    private void Add(RowChangeKind kind, long ordinal, params string?[] values) =>
        _batch.Add(Row(kind, 1, ordinal: ordinal, values: values));
}
