import type { Session } from '../api/session';
import { addressOf, type ProofWish } from '../proof/address';
import { prove } from '../proof/prove';
import type { Plan } from './plan';

/** What is live already must still answer; a service that does not is deployed anew. */
export async function isFine(
  session: Session,
  { state, target }: Plan,
  proof: ProofWish,
): Promise<boolean> {
  const { service, live } = state;
  if (!live) return false;
  const limits = { ...session.limits, proofMs: 30_000 };
  const verdict = await prove(
    { ...session, limits, showLog: () => {} },
    {
      service: { ...service, shutdownMs: 0 },
      deploy: live,
      version: target.version,
      package: undefined,
      isNew: false,
      place: proof.place,
      startLines: false,
      address: addressOf(service, proof),
      before: undefined,
      asBefore: false,
    },
  );
  if (verdict.state === 'proven') return true;
  session.say(`${service.name}: ${target.version} is live, but not healthy; deploying it again`);
  return false;
}
