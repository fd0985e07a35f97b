/** The address of Consul's leader as this agent knows it, or null if it knows none. */
export async function consulLeader(http: string, timeoutMs = 2_000): Promise<string | null> {
  const response = await fetch(`${http}/v1/status/leader`, { signal: AbortSignal.timeout(timeoutMs) });
  const leader: unknown = response.ok ? await response.json() : null;
  return typeof leader === 'string' && leader !== '' ? leader : null;
}
