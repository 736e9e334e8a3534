// Bundled as a file of its own, which loads only when a command needs npm's libraries: to choose
// in a range, and to pass a proxy. make-fetch-happen is what npm-registry-fetch itself asks with;
// unlike that it can be told to leave redirects to us.
import fetch from 'make-fetch-happen';
import pickManifest from 'npm-pick-manifest';

export { fetch, pickManifest };
