import type { PageLayout } from '../sqlite/page-layout.ts'
import type { CensusPlan } from './plan.ts'

/** The layout of a plan's pages. No tree owns pointer-map pages, so the census reads none. */
export const layoutOf = (plan: CensusPlan): PageLayout => ({
  pageSize: plan.pageSize,
  usable: plan.usable,
  autoVacuum: false,
})
