import { deleteMention } from '../../mail/mention.js'
import { messageOfPath } from '../keys.js'
import type { Handler } from '../request.js'
import { mentionIds } from '../resources/mention.js'

/** DELETE /beta/.../messages/{message}/mentions/{mention}; 204. */
export const removeMention: Handler = async (request, mail) => {
  const message = await messageOfPath(request, mail, 'notInStore')
  const wanted = request.keys.mention?.toLowerCase() ?? ''
  await deleteMention(mail, message, (current) => mentionIds(current, request.mailbox).indexOf(wanted))
  return { status: 204 }
}
