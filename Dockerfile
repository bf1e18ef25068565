# Two images from one build: `--target tracepact` (default) and `--target shop`.
# The base images are arguments, so that a mirror, or an image made from packages, can stand in for them.
ARG BUILD_IMAGE=docker.io/library/rust:1.95-bookworm
ARG UI_IMAGE=docker.io/library/node:22-bookworm
ARG RUNTIME_IMAGE=docker.io/library/debian:bookworm-slim

FROM ${UI_IMAGE} AS ui
WORKDIR /src/dashboard/ui
COPY dashboard/ui/package.json dashboard/ui/package-lock.json dashboard/ui/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY docs/openapi.json /src/docs/openapi.json
COPY dashboard/ui ./
RUN npm run build

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY . .
COPY --from=ui /src/dashboard/ui/dist dashboard/ui/dist
RUN cargo build --release --locked -p tracepact -p tracepact-shop \
    && strip target/release/tracepact target/release/tracepact-shop

FROM ${RUNTIME_IMAGE} AS runtime
# Clients inside look for certificate authorities when they start; the slim image has none.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt

FROM runtime AS shop
COPY --from=build /src/target/release/tracepact-shop /usr/local/bin/tracepact-shop
# The gateway makes its signing key here when there is none.
RUN mkdir -p /keys && chown 65534:65534 /keys
USER 65534:65534
ENTRYPOINT ["tracepact-shop"]

FROM runtime AS tracepact
COPY --from=build /src/target/release/tracepact /usr/local/bin/tracepact
# Everything kept on disk is here; the folder belongs to the user the program runs as.
RUN mkdir -p /data && chown 65534:65534 /data
USER 65534:65534
VOLUME /data
EXPOSE 9411 4317 4318 9292
ENTRYPOINT ["tracepact"]
CMD ["serve", "--data-dir", "/data", "--http-addr", "0.0.0.0:9411", "--otlp-grpc-addr", "0.0.0.0:4317", "--otlp-http-addr", "0.0.0.0:4318", "--broker-addr", "0.0.0.0:9292"]
