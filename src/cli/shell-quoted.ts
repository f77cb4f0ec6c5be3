/** One word of a POSIX shell, whatever is in it: user names and folders may hold an apostrophe. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
