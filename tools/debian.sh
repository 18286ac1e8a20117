#!/bin/sh
# Sees to it that the Debian packages are installed which the whole test suite needs beyond Node: to boot a kernel in
# an emulated machine and build a driver for it, to check docker-compose.yml, and to make certificates. Root gets
# what is missing installed; anybody else is told what to ask for.
set -eu

packages='busybox-static cpio docker-compose e2fsprogs gcc groff-base kmod libc6-dev linux-headers-amd64 make mdevctl mmdebstrap openssl qemu-system-x86 systemd udev xz-utils'

missing=''
for package in $packages; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) || status=''
  [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

install="apt-get install --yes --no-install-recommends$missing"
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "The tests need Debian packages that are missing; as root: $install" >&2
  exit 1
fi
echo "debian: installing$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet=2
$install --quiet=2
