/**
 * A program as it runs in production: nodemailer with a transport of others, which names Graph and the sign-in itself. The
 * transport passes on what the mail says, and no attachments.
 *
 *     node unchanged-nodemailer.js SENDER RECIPIENT TEXT_FILE
 *
 * Prints what nodemailer says of the envelope.
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createTransport } from 'nodemailer'

// It has no types.
const require = createRequire(import.meta.url)
const MsgraphTransport = require('nodemailer-msgraph-transport')

const [, , sender = '', recipient = '', textFile = ''] = process.argv

const transporter = createTransport(
  new MsgraphTransport({
    tenantId: process.env.AZURE_TENANT_ID,
    clientId: process.env.AZURE_CLIENT_ID,
    clientSecret: process.env.AZURE_CLIENT_SECRET,
    userPrincipalName: sender,
    saveToSentItems: true,
  }),
)
const { envelope } = await transporter.sendMail({
  from: `Adele <${sender}>`,
  to: `Alex <${recipient}>`,
  cc: 'Diego <diego@contoso.com>',
  subject: 'From nodemailer',
  text: await readFile(textFile, 'utf8'),
})
console.log(JSON.stringify(envelope))
