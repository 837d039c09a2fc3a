# The provider stand-in of the end-to-end tests. Built like the product's images: the context holds the release binary.
ARG BASE_IMAGE=gcr.io/distroless/cc-debian12:nonroot
FROM ${BASE_IMAGE}
COPY --chmod=0755 upstream /upstream
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/upstream"]
