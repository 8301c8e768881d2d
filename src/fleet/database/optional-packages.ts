/**
 * The packages that only the fleet needs. A person who checks one file does not install them, so they are loaded here
 * and nowhere else.
 */

import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { Bug } from '../../model/bug.ts'
import { Failure } from '../../model/failure.ts'

/** @throws {Failure} FLEET_PACKAGE_MISSING, with the command that installs it */
export const loadPg = () => load('pg', () => import('pg'))

/** @throws {Failure} FLEET_PACKAGE_MISSING, with the command that installs it */
export const loadPglite = () => load('@electric-sql/pglite', () => import('@electric-sql/pglite'))

/** @throws {Failure} FLEET_PACKAGE_MISSING, with the command that installs it */
export const loadPgBoss = () => load('pg-boss', () => import('pg-boss'))

async function load<Module>(name: string, loading: () => Promise<Module>): Promise<Module> {
  try {
    return await loading()
  } catch (error) {
    if (!isMissing(error)) throw error
    const wanted = `${name}@${versionOf(name)}`
    throw new Failure('FLEET_PACKAGE_MISSING', `the package ${name} is not installed: npm install ${wanted}`, {
      cause: error,
    })
  }
}

/** The version that our own package.json names: npm would install the newest one. */
function versionOf(name: string): string {
  const ours = findPackageJSON(import.meta.url)
  if (ours === undefined) throw new Bug('our package has no package.json')
  const { peerDependencies } = JSON.parse(readFileSync(ours, 'utf8')) as { peerDependencies: Record<string, string> }
  return peerDependencies[name] ?? 'latest'
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
