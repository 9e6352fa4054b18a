{{/* What all processes of Conclave have in common. Every template here takes a dict with `root` and, where a process
is meant, its `part`: bridge, control, beat, flower, nats, valkey, or model-NAME. */}}

{{- define "conclave.name" -}}
{{ printf "%s-%s" .root.Release.Name .part | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "conclave.selector" -}}
{ app.kubernetes.io/name: conclave, app.kubernetes.io/instance: {{ .root.Release.Name }}, app.kubernetes.io/component: {{ .part }} }
{{- end }}

{{- define "conclave.labels" -}}
app.kubernetes.io/name: conclave
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{- define "conclave.metadata" -}}
name: {{ include "conclave.name" . }}
namespace: {{ .root.Release.Namespace }}
labels: {{- include "conclave.labels" . | nindent 2 }}
{{- end }}

{{- define "conclave.image" -}}
{{- $images := .root.Values.images -}}
{{- $digest := get $images.digests .image -}}
image: {{ printf "%s%s:%s%s" (empty $images.registry | ternary "" (print $images.registry "/")) .image ($images.tag | default .root.Chart.AppVersion) (empty $digest | ternary "" (print "@" $digest)) }}
imagePullPolicy: {{ $images.pullPolicy }}
{{- end }}

{{/* Of a pod: nothing of ours asks the API server, and services' variables would look like settings. */}}
{{- define "conclave.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- with .root.Values.images.pullSecrets }}
imagePullSecrets: {{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end }}

{{- define "conclave.container-security" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}

{{/* Replicas of one process on nodes of their own, where there are several. */}}
{{- define "conclave.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector: { matchLabels: {{ include "conclave.selector" . }} }
{{- end }}

{{- define "conclave.secret" -}}
{ name: {{ .key }}, valueFrom: { secretKeyRef: { name: {{ .root.Values.secret }}, key: {{ .from | default .key }}{{ if .optional }}, optional: true{{ end }} } } }
{{- end }}

{{- define "conclave.nats-host" -}}
{{ .root.Values.nats.enabled | ternary (include "conclave.name" (dict "root" .root "part" "nats")) .root.Values.nats.host }}
{{- end }}

{{- define "conclave.valkey-host" -}}
{{ .root.Values.valkey.enabled | ternary (include "conclave.name" (dict "root" .root "part" "valkey")) .root.Values.valkey.host }}
{{- end }}

{{/* The two logins, by `user`; Kubernetes puts $(NAME) in from the variable before. */}}
{{- define "conclave.env-nats" -}}
{{- $nats := .root.Values.nats -}}
- name: CONCLAVE_NATS_URL
  value: {{ printf "%s://%s:%d" ($nats.tls | ternary "tls" "nats") (include "conclave.nats-host" .) (int $nats.port) }}
- name: CONCLAVE_NATS_USER
  value: {{ .user }}
- {{ include "conclave.secret" (dict "root" .root "key" "CONCLAVE_NATS_PASSWORD" "from" (printf "NATS_%s_PASSWORD" (upper .user))) }}
{{- end }}

{{- define "conclave.env-valkey" -}}
{{- $valkey := .root.Values.valkey -}}
{{- $password := printf "VALKEY_%s_PASSWORD" (upper .user) -}}
- {{ include "conclave.secret" (dict "root" .root "key" $password) }}
- name: CONCLAVE_REDIS_URL
  value: {{ printf "%s://%s:$(%s)@%s:%d/%d" ($valkey.tls | ternary "rediss" "valkey") .user $password (include "conclave.valkey-host" .) (int $valkey.port) (int $valkey.database) }}
{{- end }}

{{- define "conclave.env-metrics" -}}
- { name: CONCLAVE_METRICS_HOST, value: 0.0.0.0 }
- { name: CONCLAVE_METRICS_PORT, value: "9100" }
{{- end }}

{{/* Settings that hold for all; a model that may have no pod needs a longer wait for its first. */}}
{{- define "conclave.env-settings" -}}
{{- $own := dict "CONCLAVE_MODEL" .root.Values.defaultModel "CONCLAVE_LOG_JSON" "true" -}}
{{- if .root.Values.autoscaling.enabled }}
{{- $_ := set $own "CONCLAVE_POLICY_MODEL_WAIT_S" .root.Values.autoscaling.modelWaitSeconds }}
{{- end }}
{{- range $name, $value := merge dict .root.Values.settings $own }}
- name: {{ $name }}
  value: {{ include "conclave.text" $value | quote }}
{{- end }}
{{- end }}

{{/* Every model with all its values, as JSON. */}}
{{- define "conclave.models" -}}
{{- $models := dict }}
{{- range $name, $own := .Values.models }}
{{- $_ := set $models $name (mergeOverwrite (deepCopy $.Values.modelDefaults) $own) }}
{{- end }}
{{- toJson $models }}
{{- end }}

{{/* A value as a variable's text. Helm reads 2097152 as a float, which would print as 2.097152e+06. */}}
{{- define "conclave.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ int64 . }}{{ else }}{{ . }}{{ end }}
{{- end }}

{{/* Addresses of external engines, and the key of each from the Secret: reviews are asked by control workers. */}}
{{- define "conclave.env-external" -}}
{{- $engines := dict -}}
{{- range $name, $model := include "conclave.models" .root | fromJson }}
{{- if eq $model.kind "external" }}
{{- $key := printf "KEY_OF_%s" ($name | upper | replace "-" "_") }}
{{- if $model.urlKey }}
- {{ include "conclave.secret" (dict "root" $.root "key" $key "from" $model.urlKey) }}
{{- end }}
{{- $_ := set $engines $model.url ($model.urlKey | empty | ternary "" (printf "$(%s)" $key)) }}
{{- end }}
{{- end }}
{{- if $engines }}
- name: CONCLAVE_EXTERNAL_ENGINES
  value: {{ $engines | toJson | quote }}
{{- end }}
{{- end }}

{{/* Whether a process here has a connection to each of `servers`: nats, valkey. */}}
{{- define "conclave.connected" -}}
exec:
  command:
    - python
    - -m
    - workers.stack.container_check
    - connected
    {{- if has "nats" .servers }}
    - {{ printf "%s:%d" (include "conclave.nats-host" .) (int .root.Values.nats.port) }}
    {{- end }}
    - {{ printf "%s:%d" (include "conclave.valkey-host" .) (int .root.Values.valkey.port) }}
timeoutSeconds: 10
{{- end }}

{{- define "conclave.tcp-liveness" -}}
# No look at servers: while NATS or Valkey is away processes wait, and a restart would only cost what they have in hand.
livenessProbe:
  tcpSocket: { port: metrics }
  periodSeconds: 20
  timeoutSeconds: 5
  failureThreshold: 6
{{- end }}

{{- define "conclave.startup" -}}
startupProbe:
  tcpSocket: { port: metrics }
  periodSeconds: 5
  failureThreshold: 60
{{- end }}

{{- define "conclave.worker-answers" -}}
readinessProbe:
  exec: { command: [python, -m, workers.stack.worker_check] }
  periodSeconds: 60
  timeoutSeconds: 30
{{- end }}
