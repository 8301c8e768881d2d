/**
 * What a service MUST do (admin-api.yaml), and the steps of the doctor that try it. The help of `doctor` shows this
 * table.
 */

interface Must {
  readonly must: string
  /** Names of steps, without `service: `; empty if none tries it. */
  readonly steps: readonly string[]
  /** Why no step tries it. */
  readonly untried?: string
}

export const musts: readonly Must[] = [
  { must: 'only the owner and group of the socket, or a token', steps: ['who may ask', 'token'] },
  { must: 'problem documents have type, title and status', steps: ['problem documents'] },
  {
    must: 'answers have the mandatory fields',
    steps: ['capabilities', 'tenants', 'open leases', 'quiesce', 'status while quiesced', 'renew', 'resume'],
  },
  { must: 'each tenant on one page, no cursor twice', steps: ['tenants'] },
  { must: 'absolute paths of main database files only', steps: ['tenants', 'quiesce'] },
  { must: 'each file with one tenant, no id . or ..', steps: ['tenants'] },
  { must: 'an id may hold any character; unknown ids are 404', steps: ['unknown tenant'] },
  {
    must: 'unknown fields and parameters are refused',
    steps: [
      'unknown parameters',
      'unknown fields',
      'renewal with an unknown field',
      'resume with an unknown parameter',
    ],
  },
  {
    must: 'mandatory fields are mandatory, and must fit',
    steps: ['mandatory fields', 'fields that do not fit', 'resume without a fence'],
  },
  { must: 'all handles of all its files are closed', steps: ['files while quiesced', 'nothing is served'] },
  { must: 'no request or job runs while quiesced', steps: ['nothing is served'] },
  { must: 'healthy while quiesced', steps: ['status while quiesced'] },
  { must: 'open leases are listed by holder', steps: ['lease is listed'] },
  { must: 'one holder at a time, no nesting', steps: ['no nesting'] },
  {
    must: 'a wrong lease or fence changes nothing',
    steps: [
      'a wrong lease changes nothing',
      'a wrong fence changes nothing',
      'renewal with a wrong fence',
      'renewal of an unknown lease',
    ],
  },
  {
    must: 'resumed, active and healthy when it answers so',
    steps: ['resume', 'the answer to a resume', 'serves in the end'],
  },
  { must: 'a resume is repeatable, with the same answer', steps: ['resume again'] },
  { must: 'quiesce needs an Idempotency-Key', steps: ['quiesce without a key'] },
  { must: 'the same key gets the stored answer', steps: ['the same key again', 'the key of a lease that ended'] },
  { must: 'a key with another request is refused', steps: ['a key with another request'] },
  { must: 'the fence only grows', steps: ['the fence grows'] },
  { must: 'no lease is longer than was asked for', steps: ['length of the lease', 'renew'] },
  { must: 'a renewal prolongs, never past maxHoldMs', steps: ['a renewal prolongs'] },
  { must: 'a lease ends by itself, when it said', steps: ['the lease ends by itself'] },
  {
    must: 'an ended lease is 410 for resume and renewal',
    steps: ['after the end of the lease', 'renewal of a lease that ended'],
  },
  {
    must: 'no pause for a caller that has gone',
    steps: [],
    untried: 'the service may serve such a request before it sees that the caller has gone',
  },
  {
    must: 'the state dies with the process, bootId changes',
    steps: [],
    untried: 'the test would need a restart of the service',
  },
  { must: 'health checks of the service stay green', steps: [], untried: 'the doctor does not know them' },
  { must: 'requests of a quiesced tenant wait, or get 503', steps: [], untried: 'the doctor does not know them' },
  { must: 'answers are kept for an hour', steps: [], untried: 'the test would take an hour' },
  { must: 'a quiesce that fails leaves the tenant active', steps: [], untried: 'the doctor cannot cause a failure' },
  { must: '423, 429, 503 and 403 where they fit', steps: [], untried: 'the doctor cannot cause such a state' },
]
