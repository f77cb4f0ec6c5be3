/**
 * A program as it runs in production: MSAL with its usual authority and with instance discovery, and Node's own fetch.
 *
 *     node unchanged-msal-node.js SENDER RECIPIENT
 *
 * Prints the status of the mail.
 */
import { ConfidentialClientApplication } from '@azure/msal-node'

const [, , sender, recipient] = process.argv
const { AZURE_TENANT_ID = '', AZURE_CLIENT_ID = '', AZURE_CLIENT_SECRET = '' } = process.env

const application = new ConfidentialClientApplication({
  auth: {
    clientId: AZURE_CLIENT_ID,
    clientSecret: AZURE_CLIENT_SECRET,
    authority: `https://login.microsoftonline.com/${AZURE_TENANT_ID}`,
  },
})
const result = await application.acquireTokenByClientCredential({ scopes: ['https://graph.microsoft.com/.default'] })
const response = await fetch(`https://graph.microsoft.com/v1.0/users/${sender}/sendMail`, {
  method: 'POST',
  headers: { Authorization: `Bearer ${result?.accessToken}`, 'Content-Type': 'application/json' },
  body: JSON.stringify({
    message: {
      subject: 'From MSAL',
      body: { contentType: 'Text', content: 'Nothing was changed.' },
      toRecipients: [{ emailAddress: { address: recipient } }],
    },
  }),
})
console.log(response.status)
