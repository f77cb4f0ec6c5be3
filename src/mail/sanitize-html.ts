import sanitize from 'sanitize-html'
import { styleDeclarations } from './body.js'
import { htmlTokens, maxHtmlDepth, withBoundedDepth } from './html-tokens.js'

/** Beyond the library's defaults: the elements of a document, and those that Outlook and newsletters write. */
const allowedTags = [
  ...sanitize.defaults.allowedTags,
  ...['html', 'head', 'title', 'meta', 'style', 'body'],
  ...[
    'img',
    'map',
    'area',
    'picture',
    'source',
    'font',
    'center',
    'big',
    'strike',
    'tt',
    'del',
    'ins',
    'acronym',
    'nobr',
  ],
  ...['dir', 'details', 'summary', 'fieldset', 'legend', 'label', 'o:p'],
]

const options: sanitize.IOptions = {
  allowedTags,
  // Style sheets cannot run anything in a browser of today; without them most mail falls apart.
  allowVulnerableTags: true,
  // Every attribute, so that classes, ids and data of the author survive, save for those that `cleanAttributes` removes.
  allowedAttributes: false,
  allowedSchemes: ['http', 'https', 'mailto', 'tel', 'sip', 'callto', 'ftp', 'cid'],
  allowedSchemesByTag: { img: ['http', 'https', 'cid', 'data'] },
  parseStyleAttributes: false,
  transformTags: { '*': (tagName, attributes) => ({ tagName, attribs: cleanAttributes(attributes) }) },
}

/**
 * The HTML without anything that could run: scripts, event handlers, `javascript:` addresses, frames, forms, embedded
 * objects. Markup of Outlook stays. What Graph answers unless the caller asks with `outlook.allow-unsafe-html`; written
 * as it is recorded (`style` last, blanks as `&nbsp;`). Elements nested deeper than 256 levels are taken out, what they
 * hold is kept.
 */
export function sanitizeHtml(content: string): string {
  const bounded: string[] = []
  for (const { kind, text } of withBoundedDepth(htmlTokens(content))) {
    // Comments go in any case, and conditional ones would be the markup of one old program.
    if (kind !== 'comment' && kind !== 'declaration') bounded.push(text)
  }
  return sanitize(bounded.join(''), { ...options, ...depthGuard() })
    .replaceAll(' />', '>')
    .replaceAll('\u00a0', '&nbsp;')
}
