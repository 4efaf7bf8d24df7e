"""
Reads topics as somebody would who knows nothing but Kafka, Avro and the schema registry: keeps the last record of each key. Says what it
ended with and what it saw go wrong on the way, and writes each value again, by Avro for Python, into a topic beside. JSON in, JSON out.
"""
import datetime
import io
import json
import sys
import urllib.request

import avro.io
import avro.schema
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)

asked = json.load(sys.stdin)
client = {"bootstrap_servers": asked["bootstrap"], **({"api_version": (0, 9)} if asked["old"] else {})}
schemas = {}


def schema(message):
    """The schema that a message names, from the registry; and the place of its first byte of Avro."""
    assert message[0] == 0, "Confluent's format begins with 0"
    number = int.from_bytes(message[1:5], "big")
    if number not in schemas:
        with urllib.request.urlopen(f"{asked['registry']}schemas/ids/{number}") as answer:
            schemas[number] = avro.schema.parse(json.load(answer)["schema"])
    return schemas[number]


def is_marker(message):
    """The end of a transaction, which this client hands out as a record: its key is a version and a type, two bytes each."""
    return message.key is not None and len(message.key) == 4


def read(message):
    return avro.io.DatumReader(schema(message)).read(avro.io.BinaryDecoder(io.BytesIO(message[5:])))


def write_again(message):
    output = io.BytesIO()
    avro.io.DatumWriter(schema(message)).write(read(message), avro.io.BinaryEncoder(output))
    return message[:5] + output.getvalue()


def plain(value):
    return (value - EPOCH) // datetime.timedelta(microseconds=1) if isinstance(value, datetime.datetime) else value


class Table:
    """One partition of a topic."""

    def __init__(self):
        self.rows, self.positions, self.seen, self.sequences, self.wrong = {}, {}, set(), {}, []

    def take(self, message):
        if message.value is None:
            if read(message.key)["id"] in self.rows:
                self.wrong.append(f"a tombstone at {message.offset} comes before its delete")
            return
        value = read(message.value)
        source = value["source"]
        position = (source["generation"], source["lsn"], source["ordinal"])
        expected = self.sequences.get(source["session"], 0)
        if source["session_sequence"] != expected:
            self.wrong.append(f"the sequence at {message.offset} is {source['session_sequence']}, not {expected}")
        self.sequences[source["session"]] = source["session_sequence"] + 1
        if position in self.seen:
            self.wrong.append(f"the record at {message.offset} is there twice")
        self.seen.add(position)
        if value["op"] == "t":
            self.rows.clear()
            return
        key = read(message.key)["id"]
        if position < self.positions.get(key, position):
            self.wrong.append(f"the row {key} goes back at {message.offset}")
        self.positions[key] = position
        if value["op"] == "d":
            self.rows.pop(key, None)
            return
        row = {name: plain(field) for name, field in value["after"].items()}
        for name in source["unchanged"]:
            row[name] = self.rows[key][name]
        self.rows[key] = row


consumer = KafkaConsumer(auto_offset_reset="earliest", enable_auto_commit=False, **client)
producer = KafkaProducer(**client)
answer = {}
for topic, ends in asked["topics"].items():
    rows, wrong, records = {}, [], 0
    for number, end in enumerate(ends):
        partition, table = TopicPartition(topic, number), Table()
        consumer.assign([partition])
        consumer.seek(partition, 0)
        while consumer.position(partition) < end:
            for message in consumer.poll(timeout_ms=1000).get(partition, []):
                if is_marker(message):
                    continue
                table.take(message)
                producer.send(topic + asked["again"], key=message.key, value=message.value and write_again(message.value), partition=number)
                records += 1
        rows.update(table.rows)
        wrong += table.wrong
    answer[topic] = {"rows": {str(key): row for key, row in rows.items()}, "wrong": wrong, "records": records}
producer.flush()
json.dump(answer, sys.stdout)
