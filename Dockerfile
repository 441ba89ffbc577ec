# The command line, with nothing else but what it needs: the C library. Build the executables first
# (`deno task binary`), then `docker build --build-arg VERSION=… .`; CONTRIBUTING.md says more.
ARG TARGETARCH

FROM scratch AS executable-amd64
COPY --chmod=755 dist/bin/dispatch-linux-x64 /dispatch

FROM scratch AS executable-arm64
COPY --chmod=755 dist/bin/dispatch-linux-arm64 /dispatch

FROM executable-${TARGETARCH} AS executable

# It has glibc, certificates and time zones, but no shell and no packages: what is not there needs no
# updates. The executable links glibc only, so neither libssl (`base`) nor libstdc++ (`cc`) is needed.
FROM gcr.io/distroless/base-nossl-debian13:nonroot
ARG VERSION
LABEL org.opencontainers.image.title="dispatch" \
      org.opencontainers.image.description="Runs recipes against Dispatch, the durable job and workflow engine" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=executable /dispatch /usr/local/bin/dispatch
# By number, so that Kubernetes can see that it is not root.
USER 65532:65532
WORKDIR /recipes
# No HEALTHCHECK: a container ends with its run, whose exit code is the answer.
ENTRYPOINT ["/usr/local/bin/dispatch"]
CMD ["--help"]
