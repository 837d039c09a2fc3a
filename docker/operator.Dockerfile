# The operator's image: one program on a base with glibc and CA certificates, no shell.
# The program is built outside, by `make images`: the same Cargo cache serves every image and the tests, and the image
# is the same bytes wherever the program is. The build context is the folder that holds the release binary.
# It may need no newer glibc than the base has.
ARG BASE_IMAGE=gcr.io/distroless/cc-debian12:nonroot
FROM ${BASE_IMAGE}

ARG BINARY=fairlead-operator
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="fairlead-operator" \
      org.opencontainers.image.description="Fairlead's operator: renders custom resources into the gateways' configuration" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

COPY --chmod=0755 ${BINARY} /fairlead-operator

# A number, since the kubelet cannot tell from a name that it is not root.
USER 65532:65532
EXPOSE 8081
ENTRYPOINT ["/fairlead-operator"]
