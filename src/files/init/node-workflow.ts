import type { BackendFacts } from './backend-facts';
import { replaceParagraph } from './template';

/**
 * The workflow that publishes, with the repository's own package manager and scripts. Pure.
 * @param template node/publish-backend.yml with the facts' names in place of the sample's
 */
export function publishWorkflow(template: string, facts: BackendFacts): string {
  const { folder, publishFolder, isNext, needsToken, toolchain } = facts;
  const { install, run, scripts, folder: top } = toolchain;
  const installs = install.map(command =>
    command === install.at(-1) ? step(command, top, needsToken) : step(command, '', false),
  );
  const builds = scripts.map(({ name, folder: at }) => step(`${run} ${name}`, at, false));
  if (isNext) builds.push(standalone(folder));
  let text = replaceParagraph(template, '      - run: npm ci', () => installs.join('\n'));
  text = replaceParagraph(text, '      - run: npm run build', () => builds.join('\n'));
  return replaceParagraph(text, '            npm publish', part =>
    part.replace(/working-directory: .*/, `working-directory: ${publishFolder || '.'}`),
  );
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
