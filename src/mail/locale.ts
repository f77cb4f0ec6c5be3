/** A language of the service, Graph `localeInfo`. */
export interface LocaleInfo {
  /** Language and country, `en-US`. */
  readonly locale: string
  /** What the language calls itself. */
  readonly displayName: string
}

/** The locales that mailboxes of Exchange can be set to, by their names in Windows. */
const locales = `
  af-ZA am-ET ar-AE ar-BH ar-DZ ar-EG ar-IQ ar-JO ar-KW ar-LB ar-LY ar-MA ar-OM ar-QA ar-SA ar-SY ar-TN ar-YE as-IN
  az-Latn-AZ be-BY bg-BG bn-BD bn-IN bs-Latn-BA ca-ES cs-CZ cy-GB da-DK de-AT de-CH de-DE de-LI de-LU el-GR en-029 en-AU
  en-BZ en-CA en-GB en-IE en-IN en-JM en-MY en-NZ en-PH en-SG en-TT en-US en-ZA en-ZW es-AR es-BO es-CL es-CO es-CR es-DO
  es-EC es-ES es-GT es-HN es-MX es-NI es-PA es-PE es-PR es-PY es-SV es-US es-UY es-VE et-EE eu-ES fa-IR fi-FI fil-PH
  fr-BE fr-CA fr-CH fr-FR fr-LU fr-MC ga-IE gl-ES gu-IN he-IL hi-IN hr-BA hr-HR hu-HU hy-AM id-ID ig-NG is-IS it-CH
  it-IT ja-JP ka-GE kk-KZ km-KH kn-IN ko-KR ky-KG lb-LU lo-LA lt-LT lv-LV mi-NZ mk-MK ml-IN mn-MN mr-IN ms-BN ms-MY
  mt-MT nb-NO ne-NP nl-BE nl-NL nn-NO or-IN pa-IN pl-PL ps-AF pt-BR pt-PT ro-RO ru-RU rw-RW sk-SK sl-SI sq-AL
  sr-Cyrl-BA sr-Cyrl-RS sr-Latn-RS sv-FI sv-SE sw-KE ta-IN te-IN th-TH tr-TR tt-RU uk-UA ur-PK uz-Latn-UZ vi-VN wo-SN
  xh-ZA yo-NG zh-CN zh-HK zh-MO zh-SG zh-TW zu-ZA`
  .trim()
  .split(/\s+/)

const byLowerCase = new Map(locales.map((locale) => [locale.toLowerCase(), locale]))

/** Every language a mailbox can be set to. */
export function supportedLanguages(): LocaleInfo[] {
  return locales.map(localeInfo)
}

/** The language of that name, in any case; undefined when it is none of {@link supportedLanguages}. */
export function languageNamed(name: string): LocaleInfo | undefined {
  const locale = byLowerCase.get(name.toLowerCase())
  return locale === undefined ? undefined : localeInfo(locale)
}

function localeInfo(locale: string): LocaleInfo {
  // `standard`: "English (United States)", as the service writes it, not "American English".
  const names = new Intl.DisplayNames([locale], { type: 'language', languageDisplay: 'standard' })
  return { locale, displayName: names.of(locale) ?? locale }
}
