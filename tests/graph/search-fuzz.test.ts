/**
 * No text of `$search`, however it is put together, makes the parser or the database fail: it is refused or it is run.
 *
 *     GRAPHPOST_FUZZ_RUNS=1000000 GRAPHPOST_TEST_STORE=sqlite node --test dist/tests/graph/search-fuzz.test.js
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { GraphError } from '../../src/graph/errors.js'
import { readSearch } from '../../src/graph/search-condition.js'
import { createMailbox } from '../../src/mail/create-mailbox.js'
import type { TenantId } from '../../src/mail/ids.js'
import { folderId } from '../../src/mail/mail-folder.js'
import type { SearchCondition } from '../../src/mail/search.js'
import { anySearch, asValue } from './any-search.js'
import { startServer } from '../support/start-server.js'
