# Render's build command.
set -euo pipefail

pip install -r requirements.txt

# A free plan has no step before the deploy, so the build migrates. On a paid plan
# preDeployCommand of render.yaml does it, and MIGRATE_IN_BUILD is "false".
if [ "${MIGRATE_IN_BUILD:-true}" = true ]; then
  alembic upgrade head
fi
