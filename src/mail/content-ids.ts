/** Up to where an address can reach in markup and in CSS; none is longer than a content id may be. */
const contentIdAddress = /\bcid:([^"'\s<>]{1,1000})/gi

/**
 * The content ids that HTML shows (RFC 2392), each as written and decoded. One pass: looking for each attachment of a
 * mail in turn took seconds where there are hundreds.
 */
export function contentIdsIn(html: string): Set<string> {
  const ids = new Set<string>()
  for (const [, written = ''] of html.matchAll(contentIdAddress)) {
    const plain = written.replaceAll('&amp;', '&').replaceAll('&#64;', '@')
    // In CSS the address stands in `url(...)`; in an attribute a parenthesis is part of it.
    for (const id of [plain, plain.split(')')[0] ?? '']) {
      ids.add(id)
      ids.add(decoded(id))
    }
  }
  return ids
}

function decoded(id: string): string {
  if (!id.includes('%')) return id
  try {
    return decodeURIComponent(id)
  } catch {
    return id
  }
}
