/** Sends drafts whose time has come (decision 22). What is scheduled is on disk: nothing here needs to survive. */
import { MailError } from '../mail/errors.js'
import type { Mail } from '../mail/mail.js'
import type { ScheduledSend } from '../mail/scheduled-send.js'
import { sendScheduled } from '../mail/send-draft.js'
import type { OutboxLog } from './attempt.js'

export interface Scheduler {
  /** Sends what is due; resolves when that is done. */
  look(): Promise<void>
  /** Ends it, once a look under way is through. */
  close(): Promise<void>
}

/** Between two looks, each one small question: a clock may be set, and other processes schedule too. */
const lookEveryMs = 1_000
/** Sent in one look. */
const atOnce = 100

export function startScheduler(mail: Mail, log: OutboxLog): Scheduler {
  let looking = Promise.resolve()
  let isClosed = false
  const look = () => {
    looking = looking.then(async () => {
      try {
        if (!isClosed) await sendDue(mail, log)
      } catch (error) {
        log.error({ err: error }, 'scheduled mail could not be looked for')
      }
    })
    return looking
  }
  const timer = setInterval(look, lookEveryMs)
  // Waiting for mail keeps no process alive.
  timer.unref()
  return {
    look,
    close: () => {
      isClosed = true
      clearInterval(timer)
      return looking
    },
  }
}

async function sendDue(mail: Mail, log: OutboxLog): Promise<void> {
  while (true) {
    const due = await mail.store.schedule.listDue(mail.clock.now(), atOnce)
    const ended = await Promise.all(due.map((scheduled) => sendOne(mail, log, scheduled)))
    // What could not be ended is looked at again later, not at once.
    if (due.length < atOnce || !ended.includes(true)) return
  }
}

/** @returns whether it is no longer due */
async function sendOne(mail: Mail, log: OutboxLog, scheduled: ScheduledSend): Promise<boolean> {
  const key = { mailbox: scheduled.mailbox, message: scheduled.message }
  try {
    log.info({ ...key, fate: await sendScheduled(mail, scheduled) }, 'the time of a scheduled message has come')
    return true
  } catch (error) {
    const code = error instanceof MailError ? error.code : undefined
    // Somebody else sent, changed or deleted it at the same moment; the next look sees what it has become.
    if (code === 'conflict') return false
    log.warn({ ...key, err: error }, 'a scheduled message could not be sent')
    // What the limits of its mailbox refuse now they let go later.
    return code !== undefined && code !== 'storeUnavailable' && code !== 'submissionQuotaExceeded'
  }
}
