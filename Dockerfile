# One image for every Airflow component (target `server`), and one for the simulated world (target `simulator`).
# Build: docker build --target server --tag lienthong .
# To pin by digest, pass the image with it: --build-arg PYTHON_IMAGE=python:3.11.14-slim-bookworm@sha256:…
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm

# Packages as wheels only, each by its hash: nothing is compiled, neither compiler nor pip reaches the image that runs.
FROM ${PYTHON_IMAGE} AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
COPY requirements-server.lock /tmp/requirements-server.lock
RUN python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --no-deps --only-binary=:all: --require-hashes \
        --requirement /tmp/requirements-server.lock
COPY deploy/lienthong /opt/venv/bin/lienthong
RUN chmod 0755 /opt/venv/bin/lienthong

FROM ${PYTHON_IMAGE} AS runtime
ARG VERSION=dev
LABEL org.opencontainers.image.title="Liên Thông" \
    org.opencontainers.image.description="Administrative dossiers from provincial systems to the National Public Service Portal" \
    org.opencontainers.image.version="${VERSION}"
RUN groupadd --gid 50000 airflow \
    && useradd --uid 50000 --gid 50000 --no-create-home --home-dir /opt/airflow --shell /usr/sbin/nologin airflow
COPY --from=packages /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONPATH=/opt/lienthong/plugins \
    LIENTHONG_HOME=/opt/lienthong \
    LIENTHONG_VAR=/opt/lienthong/var \
    GX_ANALYTICS_ENABLED=False \
    AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/lienthong/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/lienthong/plugins \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    AIRFLOW__LOGGING__BASE_LOG_FOLDER=/var/log/airflow
WORKDIR /opt/lienthong
COPY expectations expectations
COPY include include
COPY plugins plugins
COPY dags dags
COPY deploy/init.sh deploy/first_admin.py deploy/healthcheck.py deploy/
# The code belongs to root: the processes read it, and can't change it. Compiled here, for the file system is read-only
# later.
# A volume that is mounted over one of the writable folders takes over its owner.
RUN chmod -R a+rX . && python -m compileall -q dags plugins deploy \
    && mkdir -p /opt/lienthong/var /opt/airflow /var/log/airflow \
    && chown airflow:airflow /opt/lienthong/var /opt/airflow /var/log/airflow \
    && chmod 0700 /opt/lienthong/var /opt/airflow

# The outside world for a trial. It never is part of the image that runs on a server.
FROM runtime AS simulator
COPY simulator simulator
ENV PYTHONPATH=/opt/lienthong
RUN chmod -R a+rX simulator && python -m compileall -q simulator && mkdir -p /var/lib/simulator && chown airflow:airflow /var/lib/simulator
USER 50000:50000
ENTRYPOINT ["python", "-m", "simulator"]
CMD ["--help"]

FROM runtime AS server
USER 50000:50000
ENTRYPOINT ["airflow"]
CMD ["version"]
