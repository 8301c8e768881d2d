/** fail2ban, which watches logs: it keeps its SQLite file open, with a journal in memory and without syncing. */
import { execFile } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { eventually, startProgram } from '../processes.ts'
import { pathInDebian } from './debian.ts'
import type { RealProgram } from './real-program.ts'

const server = pathInDebian('fail2ban', 'usr/bin/fail2ban-server')
const client = pathInDebian('fail2ban', 'usr/bin/fail2ban-client')
const modules = pathInDebian('fail2ban', 'usr/lib/python3/dist-packages/fail2ban')
const configuration = pathInDebian('fail2ban', 'etc/fail2ban')
/** As its own first line names it: another Python may come first on the path. */
const python = '/usr/bin/python3'

/** Why there is none; null if there is one. */
export const whyNoLogWatcher: string | null =
  server !== null && client !== null && modules !== null && configuration !== null
    ? null
    : 'fail2ban is neither installed nor unpacked'

/** Addresses that one piece of work bans: each is a transaction. */
const perWork = 4

export async function startLogWatcher(folder: string): Promise<RealProgram> {
  if (server === null || client === null || modules === null || configuration === null)
    throw new Error('there is no fail2ban')
  const within = (name: string): string => join(folder, name)
  cpSync(configuration, within('conf'), { recursive: true })
  for (const name of readdirSync(within('conf/jail.d'))) rmSync(within(`conf/jail.d/${name}`))
  // It watches a log of its own, and a ban runs no command.
  const jail = ['[DEFAULT]', 'bantime = 1d', 'backend = polling', 'usedns = no', 'action =', '[demo]', 'enabled = true']
  writeFileSync(within('conf/jail.local'), [...jail, `logpath = ${within('demo.log')}`, ''].join('\n'))
  writeFileSync(within('conf/filter.d/demo.conf'), '[Definition]\nfailregex = refused <HOST>$\n')
  writeFileSync(within('demo.log'), '')
  const own = { logtarget: 'fail2ban.log', socket: 'socket', pidfile: 'pid', dbfile: 'fail2ban.sqlite3' }
  writeFileSync(
    within('conf/fail2ban.local'),
    [
      '[Definition]',
      'syslogsocket = none',
      ...Object.entries(own).map(([key, name]) => `${key} = ${within(name)}`),
      '',
    ].join('\n'),
  )
  const env = { PYTHONPATH: join(modules, '..') }
  await using starting = new AsyncDisposableStack()
  const program = starting.use(startProgram(python, [server, '-f', '-c', within('conf'), 'start'], env))
  const say = async (...words: readonly string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(python, [client, '-c', within('conf'), ...words], {
      env: { ...process.env, ...env },
    })
    return stdout
  }
  await eventually('the log watcher answers', async () => (await say('ping')).includes('pong'))
  const started = starting.move()
  return {
    // It answers before it bans, and bans in turn.
    behind: 1,
    files: [
      {
        path: within('fail2ban.sqlite3'),
        workIn: (copy) => Number(copy.prepare('select count(*) from bans').pluck().get()) / perWork,
      },
    ],
    async work(number) {
      const answer = await say('set', 'demo', 'banip', ...addressesOf(number))
      if (answer.trim() !== String(perWork)) throw new Error(`it answered ${answer}`)
      await eventually('the addresses are banned', () => {
        const log = readFileSync(within(own.logtarget), 'utf8')
        return addressesOf(number).every((address) => log.includes(`Ban ${address}\n`))
      })
    },
    async problems(done) {
      const status = await say('status', 'demo')
      const banned = Number(/Currently banned:\s*(\d+)/.exec(status)?.[1])
      const pong = await say('ping')
      return [
        ...(pong.includes('pong') ? [] : [`it answered ${pong}`]),
        ...(banned === done * perWork ? [] : [`it has banned ${banned} addresses, not ${done * perWork}`]),
      ]
    },
    async end() {
      await program[Symbol.asyncDispose]()
      const log = readFileSync(within(own.logtarget), 'utf8')
      return log.split('\n').filter((line) => /\bERROR\b|CRITICAL|locked|malformed/.test(line))
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  }
}

const addressesOf = (number: number): readonly string[] =>
  Array.from({ length: perWork }, (_, at) => {
    const host = number * perWork + at
    return `198.18.${(host >> 8) % 256}.${host % 256}`
  })
