/** What became of one service; the rows of every report. */
export interface ServiceResult {
  service: string;
  id: string;
  type: string;
  /** What is live now, where that is known; what was asked for while nothing was done yet. */
  version: string | undefined;
  previous: string | undefined;
  /** The version that was left again, or that is live and unproven. */
  failedVersion?: string | undefined;
  deploy: string | undefined;
  url: string | undefined;
  outcome:
    | 'untouched'
    | 'planned'
    | 'already live'
    | 'deployed'
    | 'triggered'
    | 'rolled back'
    | 'unproven'
    | 'undone'
    | 'failed'
    | 'interrupted';
  /** Why it did not end well. */
  reason?: string | undefined;
  /** What was seen, one sentence each. */
  proof: readonly string[];
}
