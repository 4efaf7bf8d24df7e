"""Reads Avro records that others wrote, shows what it found, and writes the same values again. JSON in, JSON out."""
import datetime
import decimal
import io
import json
import sys
import uuid

import avro.io
import avro.schema


def show(value):
    if isinstance(value, dict):
        return {key: show(item) for key, item in value.items()}
    if isinstance(value, list):
        return [show(item) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    if isinstance(value, (decimal.Decimal, uuid.UUID)):
        return str(value)
    if isinstance(value, float):
        return repr(value)
    return value


def read(schema, hex_bytes):
    return avro.io.DatumReader(schema).read(avro.io.BinaryDecoder(io.BytesIO(bytes.fromhex(hex_bytes))))


def write(schema, value):
    output = io.BytesIO()
    avro.io.DatumWriter(schema).write(value, avro.io.BinaryEncoder(output))
    return output.getvalue().hex()


answers = []
for request in json.load(sys.stdin):
    schema = avro.schema.parse(request["schema"])
    value = read(schema, request["hex"]) if "hex" in request else request["value"]
    answers.append({"shown": show(value), "hex": write(schema, value)})
json.dump(answers, sys.stdout)
