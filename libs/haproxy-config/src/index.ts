export {
  HAPROXY_CONFIG_DEFAULTS,
  type CheckOptions,
  type HaproxyConfigInput,
  type HaproxyConfigOptions,
  type TimeoutOptions,
} from './options';
export { renderHaproxyConfig } from './render';
