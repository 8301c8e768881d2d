/** What the doctor says of each step that it tries. */
import { Failure } from '../model/failure.ts'

export interface Step {
  readonly about: string
  readonly outcome: 'fit' | 'warning' | 'unfit' | 'skipped' | 'paused'
  readonly said: string
  /** What to do about it; null where nothing is. */
  readonly next: string | null
}

export type Saying = Pick<Step, 'outcome' | 'said' | 'next'>
export const fit = (said: string): Saying => ({ outcome: 'fit', said, next: null })
export const warning = (said: string, next: string): Saying => ({ outcome: 'warning', said, next })
export const unfitSaying = ({ code, message, hint, tenantState }: Failure): Saying => ({ outcome: tenantState === 'maybe-paused' ? 'paused' : 'unfit', said: `${code}: ${message}`, next: hint })
export const unfit = (about: string, failure: Failure): Step => ({ about, ...unfitSaying(failure) })
export const broken = (said: string): Saying => unfitSaying(new Failure('CONTRACT_BROKEN', said, { tenant: 'active' }))

export async function step(about: string, look: () => Promise<Saying>): Promise<Step> {
  const said = await attempt(look)
  return { about, ...(said instanceof Failure ? unfitSaying(said) : said) }
}

/** Failures are what the doctor looks for; a file-system error is one too. Anything else is a defect of ours. */
export async function attempt<Value>(work: () => Promise<Value>): Promise<Value | Failure> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Failure) return error
    if (typeof (error as NodeJS.ErrnoException).code === 'string') return new Failure('NO_PERMISSION', (error as Error).message, { cause: error })
    throw error
  }
}
