/** A query option that cannot be understood. The message is worded as the OData library words it, where it has words. */
export class ODataError extends Error {
  /** The option at fault, in lower case with its `$`. */
  readonly option: string

  constructor(option: string, message: string) {
    super(message)
    this.name = 'ODataError'
    this.option = option
  }
}
