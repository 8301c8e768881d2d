/**
 * The packages that only the fleet needs. A person who checks one file does not install them, so they are loaded here
 * and nowhere else.
 */

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
    throw new Failure('FLEET_PACKAGE_MISSING', `the package ${name} is not installed: npm install ${name}`, {
      cause: error,
    })
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
