// Reads messages through a schema registry as an application does, and registers and writes one of its own. JSON in, JSON out.
const { SchemaRegistry, SchemaType } = require('@kafkajs/confluent-schema-registry')

const shown = (key, value) => (value && value.type === 'Buffer' ? Buffer.from(value.data).toString('hex') : value)

async function main() {
  const asked = JSON.parse(require('fs').readFileSync(0, 'utf8'))
  const registry = new SchemaRegistry({ host: asked.host })
  const read = []
  for (const message of asked.messages) read.push(await registry.decode(Buffer.from(message, 'hex')))
  const { id } = await registry.register({ type: SchemaType.AVRO, schema: asked.schema }, { subject: asked.subject })
  const latest = await registry.getLatestSchemaId(asked.subject)
  const written = await registry.encode(id, asked.value)
  console.log(JSON.stringify({ read, id, latest, written: written.toString('hex') }, shown))
}

main().catch(error => {
  console.error(error)
  process.exit(1)
})
