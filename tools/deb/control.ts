/**
 * What dpkg and apt are told of the Debian package.
 */
type Built = { readonly version: string; readonly architecture: string; readonly kilobytes: number };

/** libc as new as LMDB's binary needs it, and libstdc++ as Node does; flock and init-system-helpers are essential packages. */
const DEPENDS =
  'libc6 (>= 2.34), libgcc-s1, libstdc++6 (>= 6), systemd | systemd-standalone-sysusers | systemd-sysusers';

export function control({ version, architecture, kilobytes }: Built): string {
  return `Package: mdevfleet
Version: ${version}
Architecture: ${architecture}
Maintainer: mdevfleet developers <developers@mdevfleet.io>
Installed-Size: ${kilobytes}
Depends: ${DEPENDS}
Recommends: udev
Suggests: mdevctl, nats-server
Section: admin
Priority: optional
Description: reconciles the mediated devices of a fleet of hosts
 An agent on each host keeps its mediated devices (vGPUs and the like) as they
 are declared for the whole fleet over NATS JetStream. A UUID has one holder in
 the fleet, nothing foreign is touched, nothing in use is removed, and every
 decision is recorded in a journal that can be verified and replayed.
 .
 The package has a Node.js of its own. The agent is not started before
 /etc/mdevfleet/config.yaml was written; an example is in
 /usr/share/doc/mdevfleet/examples.
`;
}
