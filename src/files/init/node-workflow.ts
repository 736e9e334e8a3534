import type { BackendFacts } from './backend-facts';
import { joined, paragraph, paragraphs } from './template';

/**
 * The workflow that publishes, with the repository's own package manager and scripts. Pure.
 * @param template node/publish-backend.yml with the facts' names in place of the sample's
 */
export function publishWorkflow(template: string, facts: BackendFacts): string {
  const parts = paragraphs(template);
  const install = paragraph(parts, '      - run: npm ci');
  const scripts = paragraph(parts, '      - run: npm run build');
  const publish = paragraph(parts, '            npm publish');
  return joined(
    parts
      .map(part => {
        if (part === install) return installSteps(facts);
        if (part === scripts) return scriptSteps(facts);
        return part === publish
          ? part.replace(
              /working-directory: .*/,
              `working-directory: ${facts.publishFolder || '.'}`,
            )
          : part;
      })
      .filter(part => part !== ''),
  );
}

function installSteps({ toolchain: { install, folder }, needsToken }: BackendFacts): string {
  return install
    .map(command => {
      const isInstall = command === install.at(-1);
      return step(command, isInstall ? folder : '', isInstall && needsToken);
    })
    .join('\n');
}

function scriptSteps({ toolchain: { run, scripts }, isNext, folder }: BackendFacts): string {
  return [
    ...scripts.map(({ name, folder: at }) => step(`${run} ${name}`, at, false)),
    ...(isNext ? [standalone(folder)] : []),
  ].join('\n');
}

function step(command: string, folder: string, needsToken: boolean): string {
  return [
    `      - run: ${command}`,
    ...(folder ? [`        working-directory: ${folder}`] : []),
    // Packages of the same scope are private, too.
    ...(needsToken
      ? ['        env:', '          NODE_AUTH_TOKEN: ${{ secrets.GITHUB_TOKEN }}']
      : []),
  ].join('\n');
}

/** `output: 'standalone'` leaves these to the publisher (Next.js docs, "output"). */
function standalone(folder: string): string {
  return `      - name: Add what the standalone build leaves out
        working-directory: ${folder || '.'}
        run: |
          server="$(find .next/standalone -name server.js -not -path '*/node_modules/*' | head -n 1)"
          app="$(dirname "\${server:?next.config needs the output standalone}")"
          mkdir -p "$app/.next"
          cp -R .next/static "$app/.next/"
          if [ -d public ]; then cp -R public "$app/"; fi`;
}
