/** A bare file in a folder of its own, and changes of it, for a test file. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { changeFlow, undoFlow, type FlowResult, type FlowOptions } from './change-flow.ts'
import { openHoldFixture, type HoldFixture } from './hold-fixture.ts'

export interface ChangeScene {
  readonly fixture: HoldFixture
  /** Folders for the live file and for originals, anew. @returns the folder of the live file, and where it is to be */
  readonly begin: () => { readonly folder: string; readonly file: string }
  /** Options that all flows have. */
  readonly common: () => Pick<FlowOptions, 'connection' | 'processes' | 'folder'> & { readonly place: Quarantine }
  readonly flow: (options?: Partial<FlowOptions>) => Promise<FlowResult>
  readonly back: (done: FlowResult, place?: FlowOptions['place']) => ReturnType<typeof undoFlow>
}

type Quarantine = Extract<FlowOptions['place'], { readonly kind: 'quarantine' }>

/** Call it at the top of a description. */
export function useChangeScene(): ChangeScene {
  let fixture: HoldFixture
  beforeAll(async () => {
    fixture = await openHoldFixture()
  })
  afterAll(() => fixture[Symbol.asyncDispose]())
  const inHome = (name: string): string => join(fixture.home, name)
  const common = (): ReturnType<ChangeScene['common']> => ({
    connection: null,
    processes: fixture.processes,
    folder: fixture.folder,
    place: { kind: 'quarantine', folder: inHome('quarantine') },
  })
  return {
    get fixture() {
      return fixture
    },
    begin: () => {
      const folder = inHome('live')
      for (const one of [folder, inHome('quarantine')]) rmSync(one, { recursive: true, force: true })
      mkdirSync(folder)
      return { folder, file: join(folder, 'app.db') }
    },
    common,
    flow: (options = {}) => changeFlow({ ...common(), files: [join(inHome('live'), 'app.db')], ...options }),
    back: (done, place) => undoFlow({ ...common(), ...(place === undefined ? {} : { place }) }, done.change),
  }
}
