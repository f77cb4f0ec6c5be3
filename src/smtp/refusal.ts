/** A reply of SMTP that refuses: its code, and text that begins with the enhanced status (RFC 3463). */
export class SmtpRefusal extends Error {
  readonly responseCode: number

  constructor(responseCode: number, message: string) {
    super(message)
    this.responseCode = responseCode
  }
}
