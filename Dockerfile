# syntax=docker/dockerfile:1

FROM rust:1.95.0-slim-bookworm AS build
WORKDIR /src
COPY . .
# aws-lc and mimalloc are C: the image brings the compiler they need.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --profile dist --package breakwater \
    && cp target/dist/breakwater /breakwater

FROM debian:bookworm-slim
# The versions of a stable Debian move only for security: the newest is the wanted one.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/*

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Breakwater" \
      org.opencontainers.image.description="A multi-provider LLM gateway: success is what the user got" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

COPY --from=build /breakwater /breakwater

# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
# Data and admin; both listen on loopback until the configuration says otherwise.
EXPOSE 8080 8081
ENTRYPOINT ["/breakwater"]
CMD ["serve"]
