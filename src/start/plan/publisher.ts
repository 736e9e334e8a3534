import { SettingError } from '../../errors';
import { isObject } from '../../json';
import type { PackageJson } from './entry';

/** The `bootlace` object of a backend's own package.json. */
export interface Publisher {
  /** A process's name → what starts it: a file, a bin or an export, and arguments. */
  roles: Record<string, string>;
  /** Variables that must be set before anything of the backend starts. */
  requires: string[];
  /** What `bootlace migrate` runs: a bin with arguments, or `node FILE ARGS`. */
  migrate?: string;
}

/** A role is one plain word, so that it cannot be taken for a flag, a path or a URL. */
const roleName = /^[A-Za-z][\w-]*$/;

/**
 * Reads it at the door; what is for the host (package, version, …) is passed over.
 * @throws SettingError PACKAGE_CONFIG_INVALID
 */
export function readPublisher(json: PackageJson): Publisher {
  const value = json.bootlace ?? {};
  if (!isObject(value)) throw invalid(json, '"bootlace" is no object');
  const roles = value.roles ?? {};
  if (!isObject(roles)) throw invalid(json, '"roles" is no object');
  for (const [role, what] of Object.entries(roles))
    if (!roleName.test(role) || typeof what !== 'string' || !what.trim())
      throw invalid(json, `the role ${JSON.stringify(role.slice(0, 40))} does not name a file`);
  const requires = value.requires ?? [];
  if (
    !Array.isArray(requires) ||
    !requires.every(name => typeof name === 'string' && /^[A-Za-z_]\w*$/.test(name))
  )
    throw invalid(json, '"requires" is no list of variable names');
  // "release" is its name in 0.1.
  const migrate = value.migrate ?? value.release;
  if (migrate !== undefined && (typeof migrate !== 'string' || !migrate.trim()))
    throw invalid(json, `"${value.migrate === undefined ? 'release' : 'migrate'}" is no command`);
  return { roles: { ...(roles as Record<string, string>) }, requires, migrate };
}

function invalid({ name }: PackageJson, what: string): SettingError {
  return new SettingError('PACKAGE_CONFIG_INVALID', `in ${name}'s package.json ${what}`, {
    fix: 'write for example "bootlace": { "roles": { "web": "dist/main.js", "worker": "dist/worker.js" }, "requires": ["DATABASE_URL"], "migrate": "prisma migrate deploy" } and publish again',
  });
}
