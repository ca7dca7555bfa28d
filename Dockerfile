# One image for every component. Build: docker build -t lienthong .
FROM python:3.11-slim-bookworm

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN useradd --uid 50000 --gid 0 --create-home --home-dir /opt/airflow airflow

# Dependencies change rarely, the code often: two layers.
COPY requirements.lock /tmp/requirements.lock
RUN pip install --no-deps --require-hashes -r /tmp/requirements.lock && rm /tmp/requirements.lock

WORKDIR /opt/lienthong
COPY --chown=airflow:0 dags dags
COPY --chown=airflow:0 plugins plugins
COPY --chown=airflow:0 include include
COPY --chown=airflow:0 expectations expectations

ENV PYTHONPATH=/opt/lienthong/plugins \
    LIENTHONG_HOME=/opt/lienthong \
    LIENTHONG_VAR=/opt/lienthong/var \
    GX_ANALYTICS_ENABLED=False \
    AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/lienthong/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/lienthong/plugins \
    AIRFLOW__CORE__LOAD_EXAMPLES=False
# A volume mounted here takes over this owner.
RUN mkdir -p /opt/lienthong/var /opt/airflow/logs && chown -R airflow:0 /opt/lienthong/var /opt/airflow

USER airflow
ENTRYPOINT ["python", "-m", "airflow"]
CMD ["version"]
