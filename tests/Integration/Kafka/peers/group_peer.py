"""
What a consumer group has committed, and where its topics end, as anybody's lag tool finds out: Kafka for Python, which knows nothing of cdc.
JSON in, JSON out: by topic and partition the committed offset (null: none) and the end.
"""
import json
import sys

from kafka import KafkaConsumer, TopicPartition

asked = json.load(sys.stdin)
consumer = KafkaConsumer(
    bootstrap_servers=asked["bootstrap"], group_id=asked["group"], enable_auto_commit=False, **({"api_version": (0, 9)} if asked["old"] else {}))
answer = {}
for topic in asked["topics"]:
    partitions = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic))]
    consumer.assign(partitions)
    consumer.seek_to_end(*partitions)
    answer[topic] = [{"committed": consumer.committed(p), "end": consumer.position(p)} for p in partitions]
json.dump(answer, sys.stdout)
