/**
 * npm runs with the certificates, proxies and mirrors of the machine. Where no registry answers, that is said in
 * seconds.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { makeFolder, type Folder } from '../support/cli/folder.ts'
import { machineEnvironment } from '../support/npm.ts'
import { makeCertificates } from '../support/service/certificates.ts'

const ofTheMachine = {
  HOME: '/home/me',
  TMPDIR: '/tmp',
  HTTPS_PROXY: 'http://p:3128',
  no_proxy: 'localhost',
  NODE_EXTRA_CA_CERTS: '/ca.pem',
  NODE_USE_SYSTEM_CA: '1',
  SSL_CERT_FILE: '/ca.pem',
  NPM_CONFIG_CAFILE: '/ca.pem',
  npm_config_registry: 'https://mirror/',
  npm_config_cache: '/cache',
  npm_config_userconfig: '/home/me/.npmrc',
}
const ofTheRun = {
  NODE_OPTIONS: '--import x',
  NODE_COMPILE_CACHE: '/c',
  NODE_ENV: 'test',
  NODE: '/node',
  VITEST: 'true',
  VITEST_POOL_ID: '1',
  TEST: 'true',
  FORCE_COLOR: '1',
  HOLDFAST_DATABASE_CACHE: '/m',
  INIT_CWD: '/p',
  npm_package_json: '/p',
  npm_lifecycle_event: 'test',
  npm_execpath: '/n',
  npm_config_local_prefix: '/p',
  npm_config_user_agent: 'npm',
}

test('what the machine is set up with is kept, and what the test run adds is not', () => {
  const { PATH, ...kept } = machineEnvironment({ ...ofTheMachine, ...ofTheRun, PATH: '/usr/bin' })
  expect([kept, PATH]).toEqual([ofTheMachine, expect.stringMatching(/\/usr\/bin$/)])
})

/** A registry without packages: npm gets a 404 where it trusts it, and nothing where it does not. */
async function startRegistry(folder: Folder): Promise<{ server: Server; url: string; caFile: string }> {
  const { caFile, key, cert } = makeCertificates(folder.path)
  const server = createServer({ key, cert }, (_, response) => response.writeHead(404).end('{"error":"not found"}'))
  await once(server.listen(0, 'localhost'), 'listening')
  return { server, url: `https://localhost:${(server.address() as AddressInfo).port}/`, caFile }
}

/** In a process of its own: npm is waited for, and the registry must answer meanwhile. */
async function failureOf(variables: NodeJS.ProcessEnv, cwd: string): Promise<string> {
  const child = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `
    const { install } = await import(${JSON.stringify(new URL('../support/npm.ts', import.meta.url).pathname)})
    const [, env, cwd] = process.argv
    try { install(JSON.parse(env), cwd, 'holdfast-no-such-package') } catch (error) { console.log(error.message) }`,
      JSON.stringify(variables),
      cwd,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let text = ''
  child.stdout.on('data', (piece) => {
    text += String(piece)
  })
  await once(child, 'close')
  return text
}

test('NODE_EXTRA_CA_CERTS alone makes a registry trusted; without it, no registry can be reached', async () => {
  using folder = makeFolder()
  writeFileSync(folder.in('package.json'), '{"name":"app","private":true}')
  const registry = await startRegistry(folder)
  const nobody = createTcpServer()
  await once(nobody.listen(0, 'localhost'), 'listening')
  const closed = (nobody.address() as AddressInfo).port
  nobody.close()
  try {
    // As on a new machine: an empty cache, and no certificates by any other way.
    const { PATH } = machineEnvironment()
    const bare = { PATH, HOME: folder.path, npm_config_cache: folder.in('cache'), npm_config_registry: registry.url }
    const [trusted, untrusted, unreachable] = await Promise.all([
      failureOf(machineEnvironment({ ...bare, NODE_EXTRA_CA_CERTS: registry.caFile }), folder.path),
      failureOf(machineEnvironment(bare), folder.path),
      failureOf(machineEnvironment({ ...bare, npm_config_registry: `http://localhost:${closed}/` }), folder.path),
    ])
    expect(trusted).toMatch(/^npm install holdfast-no-such-package: exit code 1\n[^]*E404/)
    expect(untrusted).toMatch(new RegExp(`^no registry can be reached: npm asked ${registry.url}`))
    expect(unreachable).toMatch(/^no registry can be reached[^]*ECONNREFUSED/)
  } finally {
    registry.server.close()
    registry.server.closeAllConnections()
  }
})
