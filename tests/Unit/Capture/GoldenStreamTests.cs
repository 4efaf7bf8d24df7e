using Cdc.Capture.Stream;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Capture;
using Xunit;

namespace Cdc.Tests.Unit.Capture;

/// <summary>Bytes of a real server (Golden/loyalty.sql says of what) keep their meaning.</summary>
public sealed class GoldenStreamTests
{
    private const string Card = "card: id integer, code text, points float, origin text";
    private const string History = "history: id integer, card_id integer";

    [Fact]
    public void Recorded_bytes_mean_what_they_meant()
    {
        var seen = Replay(Declared.Entities(Card, History));
        Assert.Equal(
            [
                "begin",
                "insert card 1@0 id=1 code=a points=1.5 origin=(3000 bytes)",
                "insert card 2@1 id=2 code=b points=<null> origin=<null>",
                "update card 1@2 id=1 code=a points=2 origin=<unchanged>",
                "insert history 1@3 id=1 card_id=1",
                "commit 3",
                "begin",
                "delete card 2@3",
                "delete card 1@4",
                "rekey card 2@5 id=2 code=a points=2 origin=<unchanged>",
                "update history 1@6 id=1 card_id=2",
                "commit 6",
                "message cdc marker",
                "begin",
                "insert history 2@0 id=2 card_id=<null>",
                "commit 0",
                "begin",
                "update card 2@0 id=2 code=c points=2 origin=<unchanged> before id=2 code=a points=2 origin=(3000 bytes)",
                "delete card 2@2 before id=2 code=c points=2 origin=(3000 bytes)",
                "rekey card 3@3 id=3 code=c points=2 origin=<unchanged> before id=2 code=c points=2 origin=(3000 bytes)",
                "update history 1@4 id=1 card_id=3",
                "delete card 3@5 before id=3 code=c points=2 origin=(3000 bytes)",
                "delete history 1@6",
                "commit 6",
                "begin",
                "stop card@0: The stream brings public.card without column points. To follow it: Run 'cdc check'. Take it out of 'card' in "
                    + "the declaration or declare the name that it has now, or publish it. Then cdc reads the table again by itself.",
                "commit 0",
                "begin",
                "insert card 4@0 id=4 code=found points=<null> origin=<null>",
                "truncate card,history@1",
                $"commit {TruncateChange.Ordinals}",
            ],
            seen.Lines
        );
    }

    [Fact]
    public void Positions_do_not_depend_on_what_is_declared()
    {
        var all = Positions(Replay(Declared.Entities(Card, History)), "history");
        var one = Positions(Replay(Declared.Entities(History)), "history");
        Assert.NotEmpty(all);
        Assert.Equal(all, one);
    }

    [Fact]
    public void Rows_that_are_kept_do_not_change_when_more_is_read()
    {
        var entities = Declared.Entities(Card, History);
        var recorder = new StreamRecorder(entities);
        var mapper = new PgOutputMapper(new RelationMap(entities, [], _ => 0), 1, new XidClock(1000), new DeferredKeys([]));
        var shared = new byte[1 << 16];
        foreach (var (lsn, payload) in Messages())
        {
            // The receive buffer is one and the same for every message.
            payload.CopyTo(shared, 0);
            mapper.Map(shared.AsSpan(0, payload.Length), lsn, recorder);
        }
        Array.Clear(shared);
        var again = new StreamRecorder(entities);
        foreach (var row in recorder.Events.OfType<RowChange>())
            again.Row(row);
        Assert.Equal(recorder.Lines.Where(l => again.Lines.Contains(l)), again.Lines);
        Assert.Equal(16, again.Lines.Count);
    }

    [Fact]
    public void A_message_cut_short_anywhere_is_an_error_and_not_a_row()
    {
        foreach (
            var (lsn, payload) in Messages()
                .Where(m => m.Payload[0] is (byte)'B' or (byte)'C' or (byte)'R' || m.Payload is [(byte)'M', 0, ..])
        )
        {
            var mapper = new PgOutputMapper(
                new RelationMap(Declared.Entities(Card), [], _ => 0),
                1,
                new XidClock(1000),
                new DeferredKeys([])
            );
            var needed = payload[0] == 'C' ? 1 + 1 + 8 + 8 : payload.Length;
            mapper.Map(Messages().First().Payload, lsn, new StreamRecorder(Declared.Entities(Card)));
            Assert.Throws<InvalidDataException>(() =>
                mapper.Map(payload.AsSpan(0, needed - 1), lsn, new StreamRecorder(Declared.Entities(Card)))
            );
        }
    }

    [Theory]
    [InlineData("5a", "Unknown pgoutput message 'Z' at 0/0.")]
    [InlineData("49000000074e0000", "The stream has a row of relation 7, which it never described.")]
    [InlineData("4300", "A pgoutput message of 2 bytes ends too early, at byte 2.")]
    public void Bytes_that_are_no_stream_are_named(string hex, string message)
    {
        var mapper = new PgOutputMapper(new RelationMap(Declared.Entities(Card), [], _ => 0), 1, new XidClock(1000), new DeferredKeys([]));
        var error = Assert.Throws<InvalidDataException>(() =>
            mapper.Map(Convert.FromHexString(hex), Lsn.Zero, new StreamRecorder(Declared.Entities(Card)))
        );
        Assert.Equal(message, error.Message);
    }

    private static StreamRecorder Replay(EntitySet entities)
    {
        var recorder = new StreamRecorder(entities);
        var mapper = new PgOutputMapper(new RelationMap(entities, [], _ => 0), 1, new XidClock(1000), new DeferredKeys([]));
        foreach (var (lsn, payload) in Messages())
            mapper.Map(payload, lsn, recorder);
        Assert.False(mapper.InTransaction);
        return recorder;
    }

    private static List<ChangePosition> Positions(StreamRecorder recorder, string table) =>
        [.. recorder.Events.OfType<RowChange>().Where(r => r.Schema.Name == "public." + table).Select(r => r.Position)];

    private static IEnumerable<(Lsn Lsn, byte[] Payload)> Messages() =>
        File.ReadLines(Path.Combine(SourceTree.Root, "tests/Unit/Capture/Golden/loyalty.pgoutput"))
            .Where(line => !line.StartsWith('#'))
            .Select(line => line.Split(' '))
            .Select(parts => (Lsn.Parse(parts[0]), Convert.FromHexString(parts[1])));
}
