import type { ClusterKeys } from '@ha-postgres/cluster-state';
import type { ConsulClient } from '@ha-postgres/consul-election';
import type { ConfigOf, OptionSpecs } from '@ha-postgres/service-kit';
import type { GlobalConfig } from './options';
import type { Terminal } from './terminal';

/** What a command works with. */
export interface Context {
  readonly config: GlobalConfig;
  readonly keys: ClusterKeys;
  readonly client: ConsulClient;
  readonly terminal: Terminal;
  /** Who types, for those who read later: account and machine. */
  readonly by: string;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}

export interface Command<T extends OptionSpecs = OptionSpecs> {
  readonly description: string;
  /** Name of the one positional argument, if it takes one. */
  readonly argument?: { readonly name: string; readonly description: string };
  readonly options: T;
  /** @throws CodedError what cannot be done, and why. */
  readonly run: (context: Context, given: ConfigOf<T>, argument: string) => Promise<void>;
}

/** Holds the options and what takes them together, so that the compiler sees both. */
export function defineCommand<const T extends OptionSpecs>(command: Command<T>): Command {
  return command as unknown as Command;
}
