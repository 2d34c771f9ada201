# The broker's image: its command as it is published, the Node that the lockfile names, and nothing else but a C library.
#
#   docker build --tag registry.corp.example/chancery:0.1.0 .
#
# Packages and Node come from the lockfile, by their hashes. Tags of base images move: a release gives both by digest, as in
# --build-arg RUNTIME_IMAGE=gcr.io/distroless/cc-debian13:nonroot@sha256:…, and with --output type=image,rewrite-timestamp=true
# it comes out the same again.
ARG BUILD_IMAGE=docker.io/library/node:24-trixie-slim
ARG RUNTIME_IMAGE=gcr.io/distroless/cc-debian13:nonroot

FROM ${BUILD_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build
RUN mkdir -p image/opt/chancery image/usr/local/bin image/var/lib/chancery \
 && cp -R dist/bin dist/package.json dist/LICENSE dist/third-party-licenses.txt image/opt/chancery/ \
 && cp node_modules/node-linux-*/bin/node image/usr/local/bin/node \
 && chmod 0700 image/var/lib/chancery
ARG SOURCE_DATE_EPOCH=0
RUN find image -exec touch -h -d "@${SOURCE_DATE_EPOCH}" {} +

FROM ${RUNTIME_IMAGE}
COPY --from=build --chown=65532:65532 /build/image/var/lib/chancery /var/lib/chancery
COPY --from=build /build/image/opt/chancery /opt/chancery
COPY --from=build /build/image/usr/local/bin/node /usr/local/bin/node
WORKDIR /var/lib/chancery
USER 65532:65532
EXPOSE 8080 9464
ENTRYPOINT ["/usr/local/bin/node", "/opt/chancery/bin/chancery.js"]
CMD ["serve"]
