{{/* Pieces of network policies. `conclave.from` admits parts of this release, `conclave.to` goes to a server. */}}

{{- define "conclave.policy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{- include "conclave.metadata" . | nindent 2 }}
spec:
  podSelector: { matchLabels: {{ include "conclave.selector" . }} }
  policyTypes: [Ingress, Egress]
{{- end }}

{{- define "conclave.to-dns" -}}
- to: {{- toYaml .root.Values.networkPolicy.dns | nindent 4 }}
  ports: [{ protocol: UDP, port: 53 }, { protocol: TCP, port: 53 }]
{{- end }}

{{/* `server`: nats or valkey. */}}
{{- define "conclave.to" -}}
{{- $values := index .root.Values .server }}
{{- if $values.enabled }}
- to: [{ podSelector: { matchLabels: {{ include "conclave.selector" (dict "root" .root "part" .server) }} } }]
{{- else }}
- to: {{- toYaml $values.peers | nindent 4 }}
{{- end }}
  ports: [{ port: {{ $values.port }} }]
{{- end }}

{{- define "conclave.from-metrics" -}}
- from: {{- toYaml .root.Values.networkPolicy.metrics | nindent 4 }}
  ports: [{ port: 9100 }]
{{- end }}

{{- define "conclave.peers" -}}
{{- range .parts }}
- podSelector: { matchLabels: {{ include "conclave.selector" (dict "root" $.root "part" .) }} }
{{- end }}
{{- end }}

{{/* The port of a URL: its own, or its scheme's. */}}
{{- define "conclave.port-of" -}}
{{- $url := urlParse . -}}
{{- $own := regexFind ":[0-9]+$" $url.host | trimPrefix ":" -}}
{{- $own | default (eq $url.scheme "https" | ternary "443" "80") -}}
{{- end }}
