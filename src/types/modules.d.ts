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

declare module 'make-fetch-happen' {
  import type { Readable } from 'node:stream';

  interface Options {
    headers?: Readonly<Record<string, string>>;
    redirect?: 'manual';
    cache?: 'no-store';
    retry?: false;
    timeout?: number;
    signal?: AbortSignal;
    ca?: string;
    strictSSL?: boolean;
    noProxy?: string;
    proxy?: string;
  }
  function fetch(
    url: string,
    options?: Options,
  ): Promise<{ status: number; headers: { raw(): Record<string, string[]> }; body: Readable }>;
  export default fetch;
}

declare namespace NodeJS {
  interface Process {
    /** Ends without exit listeners; what process.exit itself calls. */
    reallyExit(code: number): never;
  }
}
