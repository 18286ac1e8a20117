#!/guest/bin/sh
# The first process of a guest: the machine's own file systems, the modules, and the folder shared with the host, whose
# boot.sh says all the rest. A step that fails ends the machine: the kernel panics when this process exits.
set -eu
export PATH=/guest/bin

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm /guest/shared
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
mount -t tmpfs shm /dev/shm
ln -s /proc/self/fd /dev/fd
ln -s /proc/self/fd/0 /dev/stdin
ln -s /proc/self/fd/1 /dev/stdout
ln -s /proc/self/fd/2 /dev/stderr
ip link set lo up

for module in $(cat /guest/modules/boot); do
  insmod "/guest/modules/$module"
done

share() { # share TAG FOLDER OPTIONS: mounts a folder of the host
  mkdir -p "$2"
  mount -t 9p -o "trans=virtio,version=9p2000.L,msize=262144,$3" "$1" "$2"
}

share shared /guest/shared rw,cache=none
. /guest/shared/boot.sh
