/**
 * Names of the development tenant: the same on every machine, like Azurite's account, so that test code can hold them.
 * They open nothing where mail can leave the machine, unless the setting `development` says so.
 */

/** The tenant of an empty store. */
export const developmentTenant = 'c0575050-0000-4000-8000-000000000001'

/** The application that the sample programs sign in with, and `graphpost token --user`. */
export const developmentApplication = '11111111-aaaa-4bbb-8ccc-222222222222'

/** Its client secret. */
export const developmentSecret = 'graphpost-development-secret'

/** Of every user of the directory who has no password of their own. */
export const developmentPassword = 'graphpost-development-password'
