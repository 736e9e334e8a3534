#!/bin/sh
# Production: the pinned version and no other. Needs BACKEND_PACKAGE, BACKEND_VERSION, and NPM_TOKEN
# for a private registry. Afterwards: node server.js
set -eu
: "${BACKEND_VERSION:?is not set: production runs a pinned version, for example BACKEND_VERSION=1.4.2}"
case "$BACKEND_VERSION" in
  *[!0-9A-Za-z.+-]* | [!0-9v]*) echo "BACKEND_VERSION=$BACKEND_VERSION is no exact version, for example 1.4.2" >&2; exit 3 ;;
esac
exec ${BOOTLACE:-npx --yes bootlace} setup --backend-version "$BACKEND_VERSION" "$@"
