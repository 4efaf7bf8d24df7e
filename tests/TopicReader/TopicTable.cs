using System.Collections;
using System.Text.Json.Nodes;
using Avro.Generic;

namespace Cdc.Tests.TopicReader;

/// <summary>Keeps the last record of each key, and looks at what is promised of the order of records (docs/topics.md).</summary>
internal sealed class TopicTable(string topic)
{
    private const int MostWrong = 20;

    private readonly Dictionary<long, GenericRecord> _rows = [];
    private readonly Dictionary<long, RecordPosition> _positions = [];
    private readonly Dictionary<(int Partition, long Session), long> _sequences = [];
    private readonly Dictionary<long, long> _changes = [];
    private readonly HashSet<RecordPosition> _seen = [];
    private readonly HashSet<long> _withoutTombstone = [];
    private readonly List<string> _wrong = [];
    private long _records;
    private long _owedEnds;

    public TopicView View()
    {
        foreach (var key in _withoutTombstone)
            Wrong($"the delete of {key} has no tombstone");
        return new TopicView(_rows.ToDictionary(r => r.Key, r => (JsonObject)AvroJson.Of(r.Value)!), _changes, _records, _owedEnds, _wrong);
    }

    /// <param name="value">Null: a tombstone.</param>
    public void Take(int partition, long offset, GenericRecord key, GenericRecord? value)
    {
        _records++;
        var id = IdOf(key);
        var where = $"{partition}@{offset}";
        if (value is null)
        {
            if (!_withoutTombstone.Remove(id))
                Wrong($"the tombstone of {id} at {where} has no delete before it");
            return;
        }
        if (_withoutTombstone.Contains(id))
            Wrong($"the tombstone of {id} is missing before {where}");
        var source = (GenericRecord)value["source"];
        TakeSequence(partition, where, source);
        TakePosition(id, where, source);
        TakeRow(id, where, value, source);
    }

    /// <summary>Which session wrote it, and its number in this partition, without gaps.</summary>
    private void TakeSequence(int partition, string where, GenericRecord source)
    {
        var (session, sequence) = ((long)source["session"], (long)source["session_sequence"]);
        var expected = _sequences.GetValueOrDefault((partition, session));
        if (sequence != expected)
            Wrong($"the sequence of session {session} at {where} is {sequence}, not {expected}");
        _sequences[(partition, session)] = sequence + 1;
    }

    /// <summary>Of two columns the number that stands for both in the engine (docs/declaration.md).</summary>
    private static long IdOf(GenericRecord key)
    {
        var first = Convert.ToInt64(key.GetValue(0), System.Globalization.CultureInfo.InvariantCulture);
        return key.Schema.Count == 1
            ? first
            : (first << 31) + Convert.ToInt64(key.GetValue(1), System.Globalization.CultureInfo.InvariantCulture) - (1L << 62) - (1L << 33);
    }

    private void TakePosition(long key, string where, GenericRecord source)
    {
        var position = new RecordPosition((int)source["generation"], (long)source["lsn"], (long)source["ordinal"]);
        if (!_seen.Add(position))
            Wrong($"the change {position} at {where} is there twice");
        if (_positions.TryGetValue(key, out var before) && !position.IsBehind(before))
            Wrong($"the key {key} goes back at {where}: {position} behind {before}");
        _positions[key] = position;
    }

    private void TakeRow(long key, string where, GenericRecord value, GenericRecord source)
    {
        var (op, isRead) = ((string)value["op"], (string)source["snapshot"] == "incremental");
        if (!isRead)
            _changes[key] = _changes.GetValueOrDefault(key) + 1;
        if (op is "r" != (isRead && op is not "d"))
            Wrong($"the record at {where} is a {op} with snapshot {source["snapshot"]}");
        if (op is "d")
        {
            // After a gap it may be the end of a row that came in it, which no reader has seen.
            _rows.Remove(key);
            _owedEnds += isRead ? 1 : 0;
            _withoutTombstone.Add(key);
            return;
        }
        var after = (GenericRecord)value["after"];
        var before = _rows.GetValueOrDefault(key);
        // An update has not touched a large value: the record has a placeholder for what the one before it said.
        foreach (string field in (IEnumerable)source["unchanged"])
            after.Add(field, before?[field]);
        _rows[key] = after;
    }

    private void Wrong(string what)
    {
        if (_wrong.Count < MostWrong)
            _wrong.Add($"{topic}: {what}");
    }
}
