import type { ServiceType } from './model';

/** What became of one service; the rows of every report. */
export interface ServiceResult {
  service: string;
  id: string;
  type: ServiceType;
  version: string | undefined;
  previous: string | undefined;
  deploy: string | undefined;
  url: string | undefined;
  outcome:
    | 'untouched'
    | 'already live'
    | 'deployed'
    | 'rolled back'
    | 'undone'
    | 'failed'
    | 'interrupted';
  /** What was seen, one sentence each. */
  proof: readonly string[];
}
