/** What there is of the pool without the rest of the library, which would add `request` and others. */
declare module 'undici/lib/dispatcher/pool.js' {
  import type { Pool as Whole } from 'undici'

  type Pool = Pick<Whole, 'dispatch' | 'destroy'>
  const Pool: new (...args: ConstructorParameters<typeof Whole>) => Pool
  export default Pool
}
