import { refused } from './refused';

/** A server of a few lines holds 8 MB at once; with a smaller heap it would end while it starts. */
const leastMb = 64;

/** BACKEND_MEMORY: a number is a budget in MB. */
export type Memory = 'auto' | 'off' | number;

/**
 * Reads BACKEND_MEMORY: auto, off, or a budget in MB.
 * @param name the variable or flag, for the error
 * @throws SettingError MEMORY_INVALID
 */
export function parseMemory(text: string, name: string): Memory {
  const wanted = text.trim().toLowerCase();
  if (wanted === 'auto' || wanted === 'off') return wanted;
  const megabytes = Number(wanted.replace(/\s*mi?b?$/, ''));
  if (Number.isInteger(megabytes) && megabytes >= leastMb && megabytes <= 1_048_576)
    return megabytes;
  const fix = `set ${name} to auto, off, or a whole number of MB from ${leastMb} up, such as 512`;
  throw refused('MEMORY_INVALID', name, text, 'is no amount of memory', fix);
}
