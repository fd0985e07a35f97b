import type { Read } from './api';
import type { CheckStatus } from './agent-api';

export interface HealthyService {
  readonly node: string;
  readonly id: string;
  /** The service's address; the node's where the service gave none. */
  readonly address: string;
  readonly port: number;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
  readonly checks: readonly { readonly id: string; readonly status: CheckStatus; readonly output: string }[];
}

export interface ServiceRead extends Read {
  readonly services: readonly HealthyService[];
}

export interface WireHealth {
  readonly Node: { readonly Node: string; readonly Address: string };
  readonly Service: {
    readonly ID: string;
    readonly Address: string;
    readonly Port: number;
    readonly Tags: readonly string[] | null;
    readonly Meta: Readonly<Record<string, string>> | null;
  };
  readonly Checks:
    readonly { readonly CheckID: string; readonly Status: CheckStatus; readonly Output: string }[] | null;
}

export function healthOf({ Node, Service, Checks }: WireHealth): HealthyService {
  return {
    node: Node.Node,
    id: Service.ID,
    address: Service.Address === '' ? Node.Address : Service.Address,
    port: Service.Port,
    tags: Service.Tags ?? [],
    meta: Service.Meta ?? {},
    checks: (Checks ?? []).map(({ CheckID, Status, Output }) => ({ id: CheckID, status: Status, output: Output })),
  };
}
