/**
 * The demo service as a process:
 *   node scripts/demo/service.ts --dir DIR --socket SOCKET [--tenants N] [--size BYTES] [--load TPS] [--loaded a,b]
 *     [--max-paused N] [--misbehave LIST] [--port PORT] [--pauses FILE]
 * Prints one JSON line when it is ready. Ends on SIGTERM or SIGINT.
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ServiceFaults } from './notes/misbehaviour.ts'
import { startNotesService } from './notes/notes-service.ts'

const { values } = parseArgs({
  options: {
    dir: { type: 'string' },
    socket: { type: 'string' },
    tenants: { type: 'string', default: '0' },
    size: { type: 'string', default: '200000' },
    load: { type: 'string', default: '0' },
    loaded: { type: 'string' },
    'max-paused': { type: 'string', default: '4' },
    misbehave: { type: 'string', default: '' },
    port: { type: 'string', default: '0' },
    pauses: { type: 'string' },
  },
})
if (values.dir === undefined || values.socket === undefined) throw new Error('--dir and --socket are needed')
const socket = resolve(values.socket)

const service = await startNotesService({
  dir: resolve(values.dir),
  socket,
  tenants: Number(values.tenants),
  bytes: Number(values.size),
  load: Number(values.load),
  loaded: values.loaded === undefined ? null : values.loaded.split(','),
  port: Number(values.port),
  maxPaused: Number(values['max-paused']),
  pauses: values.pauses === undefined ? null : resolve(values.pauses),
  faults: new ServiceFaults(values.misbehave),
})
process.stdout.write(`${JSON.stringify({ ready: true, pid: process.pid, socket, port: service.port })}\n`)

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void service[Symbol.asyncDispose]().then(() => process.exit(0))
  })
}
