// A bundle of its own, loaded when a command talks to a registry: npm's client for documents, the
// agent that it uses, and npm's choice of versions.
import { Agent, getAgent } from '@npmcli/agent';
import pickManifest from 'npm-pick-manifest';
import registryFetch from 'npm-registry-fetch';

export { Agent, getAgent, pickManifest, registryFetch };
