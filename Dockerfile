# The agent, and every other verb, in a container.
#
# UNTRIED: no image could be pulled where this was written, so it was never built. What it runs is tested outside.
FROM node:24.21.0-bookworm-slim

# flock (util-linux) guards the journal; udevadm reports devices that come and go.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends udev util-linux \
  && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/mdevfleet
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force
COPY bin bin
COPY events events
COPY store store
COPY reconciler reconciler
COPY src src
RUN ln -s /opt/mdevfleet/bin/mdevfleet /usr/local/bin/mdevfleet

# Files of sysfs that create and remove devices can be written by root only.
USER root
STOPSIGNAL SIGTERM
ENTRYPOINT ["mdevfleet"]
CMD ["agent"]
