/** Text of the service for a message of ours: one line of at most 300 letters, without control characters. */
export const quoteText = (text: string): string =>
  // oxlint-disable-next-line no-control-regex
  text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ').slice(0, 300)
