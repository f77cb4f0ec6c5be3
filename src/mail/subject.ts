/** `RE:`, `FW:`, `AW:` ...: up to three letters and a colon (MS-OXCMSG §2.2.1.9, normalised subject). */
const subjectPrefix = /^[^\s\d:]{1,3}: ?/

/** The subject without the prefix of an answer: what a thread is about. */
export function normalisedSubject(subject: string): string {
  return subject.replace(subjectPrefix, '')
}
