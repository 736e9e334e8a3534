import { SettingError } from '../errors';

export type Memory = 'auto' | 'off' | number;

/**
 * Reads BACKEND_MEMORY: auto, off, or a budget in MB.
 * @param name what the failure calls it
 * @throws SettingError MEMORY_INVALID
 */
export function parseMemory(text: string, name: string): Memory {
  const wanted = text.trim().toLowerCase();
  if (wanted === 'auto' || wanted === 'off') return wanted;
  const megabytes = Number(wanted.replace(/\s*mi?b?$/, ''));
  if (Number.isInteger(megabytes) && megabytes >= 16 && megabytes <= 1_048_576) return megabytes;
  throw new SettingError(
    'MEMORY_INVALID',
    `${name}=${JSON.stringify(text.slice(0, 60))} is no amount of memory`,
    {
      fix: `set ${name} to auto, off, or a whole number of MB from 16 up, such as 512`,
    },
  );
}
