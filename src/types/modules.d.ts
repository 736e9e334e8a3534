declare module 'npm-pick-manifest' {
  interface Options {
    nodeVersion?: string | null;
    npmVersion?: string | null;
    includeStaged?: boolean;
    before?: Date;
    defaultTag?: string;
  }
  function pickManifest<M>(
    packument: { versions: Record<string, M>; 'dist-tags': Record<string, string> },
    wanted: string,
    options?: Options,
  ): M;
  export default pickManifest;
}

declare module 'npm-registry-fetch/lib/default-opts.js' {
  const defaults: { registry: string };
  export default defaults;
}

declare module '@npmcli/agent' {
  import http from 'node:http';

  interface Options {
    proxy?: string | URL;
    noProxy?: string;
    ca?: string;
    rejectUnauthorized?: boolean;
    maxSockets?: number;
    /** In milliseconds. */
    timeouts?: { connection?: number };
  }
  class Agent extends http.Agent {
    constructor(options: Options);
    readonly proxy: { readonly url?: URL };
  }
  /** An agent of the process for an address, through the proxy that the options name for it. */
  function getAgent(url: string, options: Options): Agent;
}

declare namespace NodeJS {
  interface Process {
    /** Ends without exit listeners; what process.exit itself calls. */
    reallyExit(code: number): never;
  }
}

declare module 'write-good' {
  /** @returns what it finds; index and offset are of the text */
  export default function writeGood(
    text: string,
    options?: Record<string, boolean | readonly string[]>,
  ): { index: number; offset: number; reason: string }[];
}
