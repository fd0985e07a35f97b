import { pause } from '@ha-postgres/service-kit';

/** What the work comes to, or `otherwise` if that takes longer; the work goes on then. */
export async function within<T>(work: Promise<T>, milliseconds: number, otherwise: T): Promise<T> {
  const done = new AbortController();
  const late = pause(milliseconds, done.signal).then(() => otherwise);
  try {
    return await Promise.race([work, late]);
  } finally {
    done.abort();
  }
}
