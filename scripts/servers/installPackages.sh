#!/bin/sh
# Installs the Debian packages named as arguments without starting a service. Needs root.
# Whoever comes while another installs waits for the lock, and then finds the packages there.
set -eu

if [ "${RINGMASTER_INSTALL_LOCKED:-}" != yes ]; then
  mkdir -p /run/lock
  export RINGMASTER_INSTALL_LOCKED=yes
  exec flock /run/lock/ringmaster-install.lock /bin/sh "$0" "$@"
fi

if dpkg-query --show --showformat='${db:Status-Status}\n' "$@" 2>/dev/null | grep -cx installed | grep -qx "$#"; then
  exit 0
fi

# Debian starts a service as soon as its package is configured, unless this policy forbids it. One that is there
# already is the owner's own will; the marker tells one that a killed run of this script left.
policy=/usr/sbin/policy-rc.d
marker="# temporary: ringmaster installs packages without starting services"
if [ ! -e "$policy" ] || grep -qxF "$marker" "$policy"; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 143' HUP INT TERM
  printf '#!/bin/sh\n%s\nexit 101\n' "$marker" > "$policy"
  chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive LC_ALL=C
# The lists on the machine may do when they cannot be brought up to date.
apt-get update || true
apt-get install --yes --no-install-recommends -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$@"
