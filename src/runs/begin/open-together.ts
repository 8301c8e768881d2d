/** Opens two things in parallel. */

/** If one cannot be opened, the other is closed again. They are closed in the opposite order. */
export async function openTogether<First extends AsyncDisposable, Second extends AsyncDisposable>(
  firstOpening: Promise<First>,
  secondOpening: Promise<Second>,
): Promise<AsyncDisposable & { readonly first: First; readonly second: Second }> {
  const [first, second] = await Promise.allSettled([firstOpening, secondOpening])
  if (first.status === 'rejected') {
    if (second.status === 'fulfilled') await second.value[Symbol.asyncDispose]()
    throw first.reason
  }
  if (second.status === 'rejected') {
    await first.value[Symbol.asyncDispose]()
    throw second.reason
  }
  return {
    first: first.value,
    second: second.value,
    async [Symbol.asyncDispose]() {
      await using _first = first.value
      await using _second = second.value
    },
  }
}
