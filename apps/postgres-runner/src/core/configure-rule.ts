import type { RunnerInstruction } from '@ha-postgres/cluster-state';
import type { Facts, Settings, Step } from './facts';

/** The settings that an instruction asks for. What a Master's does not name stays: its controller may not know it at this moment. */
function wanted(instruction: RunnerInstruction, { settings }: Facts): Settings {
  switch (instruction.kind) {
    case 'lead':
      return {
        synchronousStandbyNames: instruction.synchronousStandbyNames ?? settings.synchronousStandbyNames,
        admits: instruction.admits ?? 'everyone',
      };
    case 'follow':
      return { synchronousStandbyNames: instruction.synchronousStandbyNames ?? '', admits: 'everyone' };
    default:
      return settings;
  }
}

/** Before PostgreSQL is started or promoted, and while it runs; null: the settings are as they should be. */
export function configure(instruction: RunnerInstruction, facts: Facts): Step | null {
  const settings = wanted(instruction, facts);
  const isSame =
    settings.synchronousStandbyNames === facts.settings.synchronousStandbyNames &&
    settings.admits === facts.settings.admits;
  // A postmaster that has just been started might end by the signal; it is told when it is ready.
  const isTooEarly = facts.postgres?.ready === false;
  return isSame || isTooEarly ? null : { kind: 'configure', settings };
}
