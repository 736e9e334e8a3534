#!/bin/sh
# The test environment: follow the tag latest. Needs BACKEND_PACKAGE, and NPM_TOKEN for a private
# registry. Afterwards: node server.js
set -eu
unset BACKEND_VERSION
exec ${BOOTLACE:-npx --yes bootlace} setup --backend-version latest "$@"
