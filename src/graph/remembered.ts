/** Answers remembered for a moment: at once while they are fresh, by asking again after that. */
export type Remembered<Value> = (key: string) => Value | Promise<Value>

/** How long an answer is believed, ms: another process may have changed the directory. */
const freshMs = 1_000
const maxRemembered = 10_000

/**
 * @param ask what does not come is not remembered
 * @param now ms since 1970
 */
export function remembering<Value>(now: () => number, ask: (key: string) => Promise<Value>): Remembered<Value> {
  const answers = new Map<string, { value: Value; until: number }>()
  return (key) => {
    const known = answers.get(key)
    if (known !== undefined && known.until > now()) return known.value
    return ask(key).then((value) => {
      if (answers.size >= maxRemembered) answers.clear()
      answers.set(key, { value, until: now() + freshMs })
      return value
    })
  }
}
