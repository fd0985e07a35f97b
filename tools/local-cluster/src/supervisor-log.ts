import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/** Something that happened to a process or was done to a member, for the log and for whoever shows it. */
export interface ClusterEvent {
  /** Wall clock in milliseconds, as in the services' logs: for people and for comparing log lines. */
  readonly at: number;
  readonly event: 'process.started' | 'process.exited' | 'role.changed' | 'command' | 'network';
  readonly member: string;
  readonly process?: string;
  readonly text: string;
}

/** Appends events to a file as JSON lines. */
export class SupervisorLog {
  private readonly file: string;

  constructor(file: string) {
    mkdirSync(dirname(file), { recursive: true });
    this.file = file;
  }

  write(event: ClusterEvent): void {
    appendFileSync(this.file, `${JSON.stringify({ ...event, time: new Date(event.at).toISOString() })}\n`);
  }
}
