/**
 * Whether a list of etags, as `If-Match` and `If-None-Match` have it, names the version of a message with this change
 * key; `*` names every version. Weak and strong are the same here (RFC 9110 §13.1).
 */
export function namesEtag(list: string, changeKey: string): boolean {
  return list.split(',').some((etag) => {
    const text = etag.trim()
    return text === '*' || text.replace(/^W\//i, '').replace(/^"(.*)"$/, '$1') === changeKey
  })
}
