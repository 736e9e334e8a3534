declare const BOOTLACE_VERSION: string | undefined;

/** The version of this program, which the build puts in. */
export const version = typeof BOOTLACE_VERSION === 'string' ? BOOTLACE_VERSION : '0.0.0-source';

/** What registries are told of the program that asks. */
export const userAgent = `bootlace/${version}`;
