# gliomask on CPUs, for prediction and scoring. The weights are in the package, so nothing is loaded
# at run time. docs/how-to/container.md says how it is used.
FROM python:3.11-slim AS build
COPY . /source
RUN sh /source/container/install.sh /source /opt/gliomask dicom,jpeg

FROM python:3.11-slim
LABEL org.opencontainers.image.title="gliomask" \
      org.opencontainers.image.description="Brain-tumour segmentation in MRI. For research use only." \
      org.opencontainers.image.licenses="Apache-2.0 AND CC-BY-NC-SA-4.0"
RUN useradd --uid 1000 --create-home gliomask
COPY --from=build /opt/gliomask /opt/gliomask
ENV PATH=/opt/gliomask/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    XDG_STATE_HOME=/tmp
USER 1000
WORKDIR /data
HEALTHCHECK --interval=5m --timeout=60s --start-period=30s \
    CMD ["gliomask", "doctor", "--out-dir", "/tmp"]
ENTRYPOINT ["gliomask"]
CMD ["--help"]
