import type { PageLayout } from '../sqlite/page-layout.ts'
import type { CensusPlan } from './plan.ts'

/** The layout of a plan's pages; pointer-map pages are of no interest to the census, no tree owns them. */
export const layoutOf = (plan: CensusPlan): PageLayout => ({
  pageSize: plan.pageSize,
  usable: plan.usable,
  autoVacuum: false,
})
