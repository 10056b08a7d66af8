{{/* Ways out, as rules of a NetworkPolicy. */}}

{{- define "loyalty.toPostgres" -}}
- to:
    {{- if .Values.postgres.enabled }}
    - podSelector:
        matchLabels: {cnpg.io/cluster: {{ include "loyalty.fullname" . }}-postgres}
    {{- else }}
    {{- toYaml .Values.networkPolicy.postgres.to | nindent 4 }}
    {{- end }}
  ports:
    - {protocol: TCP, port: {{ if .Values.postgres.enabled }}5432{{ else }}{{ .Values.networkPolicy.postgres.port }}{{ end }}}
{{- end }}

{{/* The way of the serving logins: through PgBouncer where there is one. */}}
{{- define "loyalty.toDatabase" -}}
{{- if .Values.pgbouncer.enabled -}}
- to:
    - podSelector:
        matchLabels:
          {{- include "loyalty.selector" (list . "pgbouncer") | nindent 10 }}
  ports:
    - {protocol: TCP, port: 6432}
{{- else -}}
{{ include "loyalty.toPostgres" . }}
{{- end }}
{{- end }}

{{- define "loyalty.toRedis" -}}
{{- if .Values.redis.enabled -}}
- to:
    {{- if .Values.valkey.enabled }}
    - podSelector:
        matchLabels:
          {{- include "loyalty.selector" (list . "valkey") | nindent 10 }}
    {{- else }}
    {{- toYaml .Values.networkPolicy.redis.to | nindent 4 }}
    {{- end }}
  ports:
    - {protocol: TCP, port: {{ if .Values.valkey.enabled }}6379{{ else }}{{ .Values.networkPolicy.redis.port }}{{ end }}}
{{- end }}
{{- end }}

{{- define "loyalty.toCollector" -}}
{{- if .Values.traces.endpoint -}}
- to:
    {{- toYaml .Values.networkPolicy.collector.to | nindent 4 }}
  ports:
    - {protocol: TCP, port: {{ .Values.networkPolicy.collector.port }}}
{{- end }}
{{- end }}

{{/* To the world: (list $ (list 443)). */}}
{{- define "loyalty.toWorld" -}}
{{- $policy := (index . 0).Values.networkPolicy -}}
{{- if $policy.https.enabled -}}
- to:
    - ipBlock:
        cidr: 0.0.0.0/0
        except: {{ toJson $policy.https.exceptIPv4 }}
    - ipBlock:
        cidr: ::/0
        except: {{ toJson $policy.https.exceptIPv6 }}
  ports:
    {{- range index . 1 }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
{{- end }}
{{- end }}

{{/* The head of a policy about one kind of process: (list $ "api"). */}}
{{- define "loyalty.policy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "loyalty.fullname" (index . 0) }}-{{ index . 1 }}
  labels:
    {{- include "loyalty.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "loyalty.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
{{- end }}

{{- define "loyalty.fromScrapers" -}}
{{- if .Values.metrics.enabled -}}
- ports:
    - {protocol: TCP, port: {{ .Values.metrics.port }}}
  {{- with .Values.networkPolicy.scrapers }}
  from:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}
