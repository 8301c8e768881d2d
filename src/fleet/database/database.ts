/**
 * The database of the fleet: PostgreSQL, or PGlite for one machine. The fleet speaks to it only in this way.
 *
 * A query is one message and one whole statement. No transaction stays open from one message to the next: a program
 * that dies or freezes then leaves nothing behind in the database.
 */

/** What a statement gave. */
export interface QueryAnswer<Row> {
  readonly rows: readonly Row[]
  /** Rows that were returned; without any, rows that were changed. */
  readonly rowCount: number
}

export interface FleetDatabase extends AsyncDisposable {
  readonly kind: 'postgres' | 'pglite'
  /**
   * The columns of a row have the same types in both kinds. Integers of all sizes are numbers, `numeric` is a number,
   * `timestamptz` is a Date, `date` is `YYYY-MM-DD`, `json` and `jsonb` are parsed.
   *
   * @param text without values it may have several statements. The rows of all of them are returned. They are one
   * transaction unless the text says otherwise.
   * @param values of `$1` and on: texts, numbers, booleans, Dates, null, and arrays of these. JSON is given as text.
   * @throws {Failure} FLEET_*: its `cause` has the SQLSTATE in `code`
   */
  query<Row extends object = Readonly<Record<string, unknown>>>(
    text: string,
    values?: readonly unknown[],
  ): Promise<QueryAnswer<Row>>
}
