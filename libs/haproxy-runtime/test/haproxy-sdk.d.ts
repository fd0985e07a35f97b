// haproxy-sdk comes without types; what the comparison uses of it.
declare module 'haproxy-sdk/lib/_ha-proxy-process' {
  interface CsvLine {
    get(column: string): string | undefined;
  }
  class HaproxyProcess {
    constructor(socketFile: string, retry?: number, retryIntervalSeconds?: number, timeoutSeconds?: number);
    processInfo(): Promise<Record<string, string>>;
    stats(): Promise<{
      frontends: Record<string, CsvLine>;
      backends: Record<string, { stats: CsvLine; servers: Record<string, CsvLine> }>;
    }>;
  }
  export = HaproxyProcess;
}
