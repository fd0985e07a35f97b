export { runApp, VERSION, type App, type AppContext } from './app';
export { AskerGone, type GoneSignal } from './asker-gone';
export {
  bootId,
  millisToNanosText,
  monotonicNanos,
  monotonicNow,
  nanosTextToMillis,
  systemClock,
  type Clock,
  type Millis,
  type Timer,
} from './clock';
export {
  CodedError,
  codeOf,
  defineErrors,
  exitCodeOf,
  messageOf,
  type ErrorCode,
  type ErrorEntry,
  type ErrorFactory,
  type ErrorFamily,
} from './coded-error';
export {
  describeConfiguration,
  readConfiguration,
  type Configuration,
  type ConfigurationInput,
  type Rules,
} from './configuration';
export { killProcessesIn, processesIn } from './directory-processes';
export {
  jsonError,
  listenOn,
  portOf,
  type CloseServer,
  type JsonError,
  type ListenAddress,
  type Listener,
} from './listen';
export { createLogger, silentLog, type Log, type LogFields, type LoggerOptions } from './log';
export { Metrics } from './metrics';
export { acquireNodeLock, type NodeLock } from './node-lock';
export { helpText, optionsMarkdown } from './option-docs';
export { defineOptions, environmentNameOf, flagOf, type ConfigOf, type OptionSpec, type OptionSpecs } from './options';
export { pause } from './pause';
export { Published } from './published';
export { formatDuration, formatSize, parseDuration, parseSize } from './quantities';
export { isSameJson } from './same-json';
export { schemaOf } from './schema';
export {
  NONCE_HEADER,
  RequestVerifier,
  SIGNATURE_HEADER,
  signAnswer,
  signRequest,
  verifyAnswer,
  type HeaderValues,
  type SignableRequest,
  type SignedHeaders,
  type Verdict,
} from './signing';
export { readStateFile, writeStateFile } from './state-file';
