# The gateway's image: one program on a base with glibc and CA certificates, no shell.
# The program is built outside, by `make images`: the same Cargo cache serves every image and the tests, and the image
# is the same bytes wherever the program is. The build context is the folder that holds the release binary.
# It may need no newer glibc than the base has.
ARG BASE_IMAGE=gcr.io/distroless/cc-debian12:nonroot
FROM ${BASE_IMAGE}

ARG BINARY=fairlead-gateway
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="fairlead-gateway" \
      org.opencontainers.image.description="Fairlead's gateway: OpenAI's API in front of every provider" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

COPY --chmod=0755 ${BINARY} /fairlead-gateway

# A number, since the kubelet cannot tell from a name that it is not root.
USER 65532:65532
EXPOSE 4000 4001
ENTRYPOINT ["/fairlead-gateway"]
