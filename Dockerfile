# One image for every part; which part a container is, its command says.
FROM python:3.13-slim AS built
WORKDIR /app
COPY requirements.txt .
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --only-binary=:all: -r requirements.txt

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 EMERGENCY_DATA_DIR=/data
RUN useradd --system --uid 10001 --home-dir /data emergency && install -d -o emergency -g emergency /data
WORKDIR /app
COPY --from=built /venv /venv
COPY config.py pyproject.toml ./
COPY emergency emergency
COPY workers workers
COPY migrations migrations
COPY playbooks playbooks
USER emergency
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "emergency"]
CMD ["serve", "--host", "0.0.0.0"]
