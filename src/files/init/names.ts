import type { Repository } from '../repository';

/** True for a path that may stand in YAML and in a command as it is. */
export function isPlainPath(path: string): boolean {
  return /^[\w@.+/-]*$/.test(path);
}

/** `owner/name` of the repository on GitHub, as its clone knows it. */
export function githubName(repository: Repository): string | undefined {
  const config = repository.text('.git/config') ?? '';
  return /^\s*url = .*github\.com[:/]+([\w.-]+\/[\w.-]+?)(?:\.git)?\/?$/m.exec(config)?.[1];
}

/** A name that Render takes for a service. */
export function serviceName(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
}
