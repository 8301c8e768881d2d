/** Runs npm with the environment of this machine (certificates, proxies, mirrors), without what this test run added. */
import { spawnSync } from 'node:child_process'
import { dirname } from 'node:path'

/** Variables of Node, Vitest, npm's lifecycle and our own tests. All others belong to the machine. */
const variablesOfTestRun = [
  /^NODE(_OPTIONS|_PATH|_ENV|_COMPILE_CACHE|_DISABLE_COMPILE_CACHE|_V8_COVERAGE|_PENDING_DEPRECATION)?$/i,
  /^(VITEST|VITE)(_|$)|^(TEST|MODE|DEV|PROD|SSR|BASE_URL)$/,
  /^npm_(?!config_)|^INIT_CWD$/i,
  /^npm_config_(local_prefix|global_prefix|npm_version|node_gyp|user_agent|init_module)$/i,
  /^(FORCE_COLOR|NO_COLOR|COLOR)$/,
  /^HOLDFAST_/,
]

/** The Node that runs the tests comes first on the path. */
export function machineEnvironment(variables: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const ofMachine = Object.entries(variables).filter(
    ([name]) => !variablesOfTestRun.some((pattern) => pattern.test(name)),
  )
  return { ...Object.fromEntries(ofMachine), PATH: `${dirname(process.execPath)}:${variables['PATH']}` }
}

export interface NpmRun {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export function runAs(env: NodeJS.ProcessEnv, cwd: string, program: string, args: readonly string[]): NpmRun {
  return spawnSync(program, args, { cwd, env, encoding: 'utf8', timeout: 360_000 })
}

/** By default npm tries for minutes without a message. */
const shortWaits = [
  '--fetch-retries=1',
  '--fetch-retry-mintimeout=500',
  '--fetch-retry-maxtimeout=1000',
  '--fetch-timeout=30000',
]

/** @throws {Error} that names the registry if it was the cause */
export function install(env: NodeJS.ProcessEnv, cwd: string, what: string): void {
  const args = ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error', ...shortWaits, what]
  const { status, stderr } = runAs(env, cwd, 'npm', args)
  if (status === 0) return
  const unreachable = status === null || unreachableCodes.test(stderr)
  if (!unreachable) throw new Error(`npm install ${what}: exit code ${status}\n${stderr}`)
  const registry = runAs(env, cwd, 'npm', ['config', 'get', 'registry']).stdout.trim()
  throw new Error(
    `no registry can be reached: npm asked ${registry}.\n` +
      'Does this machine need a proxy, a mirror or certificates of its own, and does npm know them?\n' +
      (status === null ? `npm did not end in time.\n${stderr}` : stderr),
  )
}

const unreachableCodes = new RegExp(
  '\\b(' +
    [
      'ENOTFOUND',
      'EAI_AGAIN',
      'ECONNREFUSED',
      'ECONNRESET',
      'ETIMEDOUT',
      'EHOSTUNREACH',
      'ENETUNREACH',
      'ENETDOWN',
      'ERR_SOCKET_TIMEOUT',
      'FETCH_ERROR',
      'ENOTCACHED',
      'EPROTO',
      'E407',
      'E5\\d\\d',
      'CERT_\\w+',
      'SELF_SIGNED_\\w+',
      'DEPTH_ZERO_\\w+',
      'UNABLE_TO_\\w+',
      'ERR_TLS_\\w+',
      'ERR_SSL_\\w+',
    ].join('|') +
    ')\\b',
)
