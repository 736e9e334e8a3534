import type { Io } from '../../io';
import type { SettingSources, Settings } from '../../settings/settings';
import { planRegistry, type RegistryConfig } from './config';
import { readNpmrcLevels } from './npmrc-files';

/**
 * Reads what npm would read for a folder and chooses registries and credentials.
 * @param sources what the settings were read from; .env lies beneath the environment
 * @throws SettingError as readNpmrcLevels and planRegistry do
 */
export function loadRegistryConfig(
  settings: Settings,
  { env, dotenv, unreadable }: Pick<SettingSources, 'env' | 'dotenv' | 'unreadable'>,
  dir: string,
  { execPath, now }: Pick<Io, 'execPath' | 'now'>,
): RegistryConfig {
  const merged = { ...dotenv, ...env };
  const config = planRegistry(settings, readNpmrcLevels(dir, merged, execPath), merged, now());
  if (!unreadable) return config;
  return { ...config, warnings: [...config.warnings, unreadable.message] };
}
