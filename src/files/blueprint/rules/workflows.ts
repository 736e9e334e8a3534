import { posix } from 'node:path';
import { readHead } from '../../init/head';
import type { Repository } from '../../repository';
import type { Blueprint, Rule } from '../blueprint';
import { type Problem, quote, warning } from '../value';

/** The services that the workflows of `init` deploy are those of the Blueprint at the top. */
export const workflowRules: readonly Rule[] = [deployed];

function* deployed({ services }: Blueprint, repository: Repository): Generator<Problem> {
  const { blueprint } = repository;
  if (!/^(render\.ya?ml)?$/.test(blueprint) || services.length === 0) return;
  const names = services.map(({ name }) => name);
  for (const name of ['publish-backend.yml', 'deploy.yml']) {
    const file = posix.join('.github/workflows', name);
    const text = repository.text(file) ?? '';
    // Only the ones that init wrote, edited or not, are known to have such a line.
    const match = readHead(text) && /^( *SERVICES: )(.*)$/m.exec(text);
    if (!match) continue;
    const [line, key = '', value = ''] = match;
    const words = value.split(' #')[0]?.split(/[\s'"]+/) ?? [];
    // Names only: an ID or an expression is looked up elsewhere.
    const gone = words.filter(word => /^(?!srv-)[\w-]+$/.test(word) && !names.includes(word));
    if (gone.length === 0) continue;
    const at = {
      line: text.slice(0, match.index + line.length).split('\n').length,
      column: key.length + 1,
      path: '',
    };
    yield {
      ...warning(at, 'WORKFLOW_SERVICES', {
        message: `SERVICES names ${gone.slice(0, 5).map(quote).join(', ')}, and the Blueprint has no such service`,
        fix: `write the names of the Blueprint that this workflow deploys: ${names.slice(0, 20).join(' ')}`,
      }),
      file,
    };
  }
}
