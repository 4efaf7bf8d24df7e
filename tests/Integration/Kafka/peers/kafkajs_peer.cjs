// Reads topics to their ends as an application in JavaScript does: kafkajs as a member of a group, and a schema registry. JSON in, JSON out.
const { Kafka, logLevel } = require('kafkajs')
const { SchemaRegistry } = require('@kafkajs/confluent-schema-registry')

const shown = (key, value) => (value && value.type === 'Buffer' ? Buffer.from(value.data).toString('hex') : value)

async function main() {
  const asked = JSON.parse(require('fs').readFileSync(0, 'utf8'))
  const registry = new SchemaRegistry({ host: asked.registry })
  const consumer = new Kafka({ brokers: [asked.bootstrap], logLevel: logLevel.ERROR }).consumer({ groupId: asked.group })
  const read = bytes => (bytes === null ? null : registry.decode(bytes))
  const records = []
  await consumer.connect()
  await consumer.subscribe({ topics: [asked.topic], fromBeginning: true })
  await new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, event => reject(event.payload.error))
    const eachMessage = async ({ partition, message }) => {
      const [key, value] = await Promise.all([read(message.key), read(message.value)])
      if (records.push({ partition, offset: Number(message.offset), key, value }) === asked.records) resolve()
    }
    consumer.run({ eachMessage }).catch(reject)
  })
  await consumer.disconnect()
  console.log(JSON.stringify(records, shown))
}

main().catch(error => {
  console.error(error)
  process.exit(1)
})
