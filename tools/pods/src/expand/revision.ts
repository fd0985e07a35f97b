import { createHash } from 'node:crypto';
import type { PodTemplate } from '../kubernetes';

/** Tells templates apart: a pod of another one is to be replaced. */
export function revisionOf(template: PodTemplate): string {
  return createHash('sha256').update(JSON.stringify(template)).digest('hex').slice(0, 10);
}
