/** A value of a column, decoded: from a record, the default of an added column, or computed by SQLite for an index. */
export type ColumnValue =
  | { readonly kind: 'null' }
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'real'; readonly value: number }
  /** Bytes in the encoding of the database, as `CAST(x AS BLOB)` gives them. */
  | { readonly kind: 'text'; readonly bytes: Uint8Array }
  | { readonly kind: 'blob'; readonly bytes: Uint8Array }
