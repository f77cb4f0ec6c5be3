import type { Application } from '../identity/application.js'
import type { User } from '../identity/user.js'
import { type Html, html } from './html.js'

/** The pages people see when they sign in: plain forms, which work without a script. */

/** An answer to a browser. */
export interface Page {
  readonly status: number
  readonly title: string
  readonly body: Html
  /** A script of ours runs: the form that carries an answer to an application sends itself. */
  readonly sendsItself?: boolean
}

const style = `
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:Canvas;color:CanvasText}
main{width:min(26rem,calc(100vw - 2rem));padding:2rem;border:1px solid color-mix(in srgb,CanvasText 20%,Canvas);border-radius:.5rem}
h1{font-size:1.4rem;margin:0 0 .5rem} p{margin:.5rem 0} ul{padding-left:1.2rem}
form{margin:1rem 0 0;display:grid;gap:.75rem} label{display:grid;gap:.25rem}
input{font:inherit;padding:.5rem;border:1px solid color-mix(in srgb,CanvasText 40%,Canvas);border-radius:.25rem}
button{font:inherit;padding:.6rem 1rem;border-radius:.25rem;border:1px solid color-mix(in srgb,CanvasText 40%,Canvas);cursor:pointer;text-align:left;background:Canvas;color:CanvasText}
button.main{background:#0f6cbd;border-color:#0f6cbd;color:#fff;text-align:center}
button:focus-visible,input:focus-visible{outline:3px solid #479ef5;outline-offset:1px}
button span{display:block;opacity:.75;font-size:.9rem}
.error{color:#c50f1f} @media(prefers-color-scheme:dark){.error{color:#ff99a4}}
.mark{font-size:.85rem;opacity:.75;margin-top:1.5rem}`

/** The whole document. @param nonce of the Content-Security-Policy that goes with it */
export function document(page: Page, nonce: string): string {
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${page.title} - Graphpost</title>
<style nonce="${nonce}">${style}</style></head>
<body><main>${page.body}<p class="mark">Graphpost, a server that speaks the Microsoft Graph mail API. Not Microsoft.</p></main>
${page.sendsItself === true ? html`<script nonce="${nonce}">document.forms[0].submit()</script>` : undefined}</body>
</html>
`.text
}

/** What a form carries back: the address it is sent to, and the sealed state of the sign-in. */
export interface FormTarget {
  readonly action: string
  readonly flow: string
}

function hidden({ flow }: FormTarget): Html {
  return html`<input type="hidden" name="flow" value="${flow}">`
}

/** Everybody there is to pick from; no password. */
export function accountPage(target: FormTarget, application: Application, users: readonly User[]): Page {
  return {
    status: 200,
    title: 'Pick an account',
    body: html`<h1>Pick an account</h1>
<p>to go on to <strong>${application.displayName}</strong></p>
<form method="post" action="${target.action}">${hidden(target)}
${users.map(
  (user) =>
    html`<button name="user" value="${user.id}">${user.displayName}<span>${user.userPrincipalName}</span></button>`,
)}</form>
<p class="mark">No password is asked for, because no mail can leave this server.</p>`,
  }
}

/** Name and password. */
export function passwordPage(target: FormTarget, application: Application, name: string, problem?: string): Page {
  return {
    status: problem === undefined ? 200 : 400,
    title: 'Sign in',
    body: html`<h1>Sign in</h1>
<p>to go on to <strong>${application.displayName}</strong></p>
${problem === undefined ? undefined : html`<p class="error" role="alert">${problem}</p>`}
<form method="post" action="${target.action}">${hidden(target)}
<label>User name<input name="username" type="email" autocomplete="username" required value="${name}" autofocus></label>
<label>Password<input name="password" type="password" autocomplete="current-password" required></label>
<button class="main">Sign in</button></form>`,
  }
}

/** What the application would be allowed. */
export function consentPage(
  target: FormTarget,
  application: Application,
  user: User,
  permissions: readonly string[],
): Page {
  return {
    status: 200,
    title: 'Permissions requested',
    body: html`<h1>Permissions requested</h1>
<p><strong>${application.displayName}</strong> asks <strong>${user.userPrincipalName}</strong> for:</p>
<ul>${permissions.map((permission) => html`<li>${permission}</li>`)}</ul>
<form method="post" action="${target.action}">${hidden(target)}
<button class="main" name="decision" value="accept">Accept</button>
<button name="decision" value="decline">Cancel</button></form>`,
  }
}

/** Where a code from a device is typed in. */
export function deviceCodePage(action: string, problem?: string): Page {
  return {
    status: problem === undefined ? 200 : 400,
    title: 'Enter code',
    body: html`<h1>Enter code</h1>
<p>Type the code that the application on your device shows.</p>
${problem === undefined ? undefined : html`<p class="error" role="alert">${problem}</p>`}
<form method="post" action="${action}">
<label>Code<input name="code" autocomplete="off" autocapitalize="characters" spellcheck="false" required autofocus></label>
<button class="main">Next</button></form>`,
  }
}

/** A sentence to end with. */
export function messagePage(title: string, text: string, status = 200): Page {
  return { status, title, body: html`<h1>${title}</h1><p>${text}</p>` }
}

/** An answer that goes to the application as a form (OAuth 2.0 Form Post Response Mode). */
export function formPostPage(action: string, fields: readonly (readonly [string, string])[]): Page {
  return {
    status: 200,
    title: 'Working',
    sendsItself: true,
    body: html`<form method="post" action="${action}">
${fields.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
<button class="main">Continue</button></form>`,
  }
}
