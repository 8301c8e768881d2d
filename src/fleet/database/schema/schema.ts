/** All tables of the schema `holdfast`, in the order in which they are created. Each can be run again without harm. */

import { chunkTables } from './chunks.ts'
import { conditionTables } from './conditions.ts'
import { contentTables } from './contents.ts'
import { durableRows } from './durable-rows.ts'
import { hostTables } from './hosts.ts'
import { pauseTables } from './pauses.ts'
import { questionTables } from './questions.ts'
import { resultTables } from './results.ts'
import { runTables } from './runs.ts'
import { versionTables } from './schema-versions.ts'

export const schemaScript: string = [
  'create schema if not exists holdfast;',
  versionTables,
  hostTables,
  resultTables,
  contentTables,
  runTables,
  pauseTables,
  questionTables,
  conditionTables,
  chunkTables,
  durableRows,
].join('\n')
