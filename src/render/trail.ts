import { pinText } from './pin';
import type { DeployPlan } from './plan';

/** How far a deploy has come; what a person must know when it is interrupted. */
export interface Trail {
  stage:
    | 'untouched'
    | 'pinning'
    | 'pinned'
    | 'creating'
    | 'waiting'
    | 'proving'
    | 'proven'
    | 'undoing'
    | 'done';
  deploy?: string;
  /** The deploy has ended, however. */
  isOver?: boolean;
}

/** The state that was left, and how to go on. Pure. */
export function describeTrail(
  { look, to, before, keepsPin }: Pick<DeployPlan, 'look' | 'to' | 'before' | 'keepsPin'>,
  { stage, deploy }: Trail,
  command: 'deploy' | 'rollback' = 'deploy',
): string {
  const { name } = look.service;
  const pinned =
    to === undefined || keepsPin ? '' : `${look.key} is ${to} (it was ${pinText(before.pin)})`;
  const flag = command === 'deploy' ? '--backend-version' : '--to';
  const key = look.key === 'BACKEND_VERSION' ? '' : ` --env-key ${look.key}`;
  const again = `npx bootlace ${command} ${name}${keepsPin ? ' --no-pin' : to ? ` ${flag} ${to}` : ''}${key}`;
  const back =
    to && command === 'deploy' ? `; to go back: npx bootlace rollback ${name}${key}` : '';
  const goOn = `to go on: ${again}${back}`;
  switch (stage) {
    case 'untouched':
      return `${name}: nothing was changed; again: ${again}`;
    case 'pinning':
      return `${name}: ${join(keepsPin ? '' : `${look.key} may be ${to} already (it was ${pinText(before.pin)})`, 'nothing was deployed')}; ${goOn}`;
    case 'pinned':
      return `${name}: ${join(pinned, 'nothing was deployed')}; ${goOn}`;
    case 'creating':
      return `${name}: ${join(pinned, 'a deploy may have been created')}; ${goOn}`;
    case 'waiting':
      return `${name}: ${join(pinned, `${deploy} goes on without us`)}; ${goOn}`;
    case 'proving':
      return `${name}: ${join(pinned, `${deploy} is live and not proven`)}; ${goOn}`;
    case 'proven':
      return `${name}: ${to ?? deploy} is live and proven${back}`;
    case 'undoing':
      return `${name}: going back to ${before.version ?? 'what was live'} was not finished; to go on: npx bootlace rollback ${name}${key}`;
    default:
      return `${name}: done (${deploy ?? 'nothing to deploy'})`;
  }
}

function join(pinned: string, rest: string): string {
  return pinned ? `${pinned}, ${rest}` : rest;
}
