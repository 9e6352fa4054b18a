# Targets: nats, valkey (the servers with our configuration), app (every process of Conclave), gpu (app beside vLLM).

FROM nats:2.15.1-alpine AS nats
RUN mkdir /data && chown 10001:10001 /data
COPY workers/stack/conf/nats.conf workers/stack/conf/nats-users.conf /etc/conclave/
USER 10001:10001
VOLUME /data
EXPOSE 4222 8222
ENTRYPOINT ["nats-server", "-c", "/etc/conclave/nats-users.conf", "-sd", "/data", "-m", "8222"]
CMD []

FROM valkey/valkey:9.1.2-alpine@sha256:48332870af354a799964c0012ae1194a0bf2bf894eb508f945810596dc2d8d11 AS valkey
COPY workers/stack/conf/valkey.conf workers/stack/conf/valkey-users.acl workers/stack/conf/valkey-start.sh /etc/conclave/
RUN chown valkey:valkey /data
USER valkey
VOLUME /data
EXPOSE 6379
ENTRYPOINT ["sh", "/etc/conclave/valkey-start.sh", "--bind", "0.0.0.0", "--dir", "/data"]
CMD []

FROM python:3.13.9-slim-bookworm@sha256:b685a4fa58bb19d1814d78a1ec0f0208f351452724f78b20212c984d6e124a34 AS build
RUN python -m venv /opt/conclave
WORKDIR /src
COPY requirements-runtime.lock ./
RUN /opt/conclave/bin/python -m pip install --no-cache-dir --no-deps --only-binary :all: --require-hashes -r requirements-runtime.lock
COPY pyproject.toml README.md LICENSE ./
COPY domain domain
COPY tasks tasks
COPY bridge bridge
COPY web web
COPY workers workers
RUN /opt/conclave/bin/python -m pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/conclave/bin/python -m pip install --no-cache-dir --no-deps /wheels/*.whl

FROM python:3.13.9-slim-bookworm@sha256:b685a4fa58bb19d1814d78a1ec0f0208f351452724f78b20212c984d6e124a34 AS app
# libgomp: the embedded engine computes with OpenMP.
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home conclave \
    && install -d -o conclave /var/lib/conclave
COPY --from=build /opt/conclave /opt/conclave
ENV PATH=/opt/conclave/bin:$PATH PYTHONUNBUFFERED=1 CONCLAVE_STATE=/tmp/conclave
USER conclave
WORKDIR /home/conclave
ENTRYPOINT ["conclave"]
CMD ["--help"]

# vLLM keeps the environment of its own image; ours lies beside it and finds `vllm` on the path.
FROM vllm/vllm-openai:v0.32.0 AS gpu
COPY requirements-runtime.lock /tmp/
COPY --from=build /wheels /tmp/wheels
RUN python3 -m venv --without-pip /opt/conclave \
    && python3 -m pip --python /opt/conclave/bin/python install --no-cache-dir --no-deps --only-binary :all: --require-hashes -r /tmp/requirements-runtime.lock \
    && python3 -m pip --python /opt/conclave/bin/python install --no-cache-dir --no-deps /tmp/wheels/*.whl \
    && rm -r /tmp/wheels /tmp/requirements-runtime.lock \
    && useradd --uid 10001 --create-home conclave \
    && mkdir -p /home/conclave/.cache/huggingface && chown -R conclave /home/conclave/.cache
ENV PATH=/opt/conclave/bin:$PATH PYTHONUNBUFFERED=1 CONCLAVE_STATE=/tmp/conclave
USER conclave
WORKDIR /home/conclave
ENTRYPOINT ["conclave"]
CMD ["worker", "--help"]
