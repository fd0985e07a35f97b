import { firstDetection } from './detection';
import type { Fault, Faulty, LocalScenario } from './scenario';

type Struck = Exclude<LocalScenario, 'none'>;

/** What may happen to a local cluster whose services log into a directory. */
export function localFaults(cluster: Faulty, logs: string): Readonly<Record<Struck, Fault>> {
  const noticedIn = (scenario: Struck) => (master: string, struckAt: number) =>
    firstDetection(scenario, master, logs, struckAt);
  return {
    'kill-master': {
      describe: (master) => `SIGKILL of the postmaster of ${master}, the Master`,
      strike: (member) => cluster.kill({ member, process: 'postgres' }),
      mend: null,
      noticedAt: noticedIn('kill-master'),
    },
    'kill-node': {
      describe: (master) => `SIGKILL of every process of ${master}, the Master's node`,
      strike: (member) => cluster.kill({ member }),
      mend: {
        text: 'is started again',
        carryOut: (member) => {
          cluster.startAgain({ member });
          return Promise.resolve();
        },
      },
      noticedAt: noticedIn('kill-node'),
    },
    'freeze-node': {
      describe: (master) => `SIGSTOP of every process of ${master}, the Master's node`,
      strike: (member) => cluster.freeze({ member }),
      mend: { text: 'goes on (SIGCONT)', carryOut: (member) => cluster.thaw({ member }) },
      noticedAt: noticedIn('freeze-node'),
    },
  };
}
