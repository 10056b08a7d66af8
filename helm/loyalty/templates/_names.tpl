{{/* What things are called, and how they are told apart. */}}

{{- define "loyalty.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 36 | trimSuffix "-" }}
{{- end }}

{{- define "loyalty.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 36 | trimSuffix "-" }}
{{- else if contains (include "loyalty.name" .) .Release.Name }}
{{- .Release.Name | trunc 36 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "loyalty.name" .) | trunc 36 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* Of every object of this release. */}}
{{- define "loyalty.instance" -}}
app.kubernetes.io/name: {{ include "loyalty.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Of one kind of process: (list $ "api"). */}}
{{- define "loyalty.selector" -}}
{{ include "loyalty.instance" (index . 0) }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "loyalty.labels" -}}
{{- $root := index . 0 -}}
{{ include "loyalty.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "loyalty.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{/* Whether something that migrations need is made by this chart itself: "yes", or nothing. Then
     they cannot come before everything else at an installation. */}}
{{- define "loyalty.makesItsOwn" -}}
{{- if or .Values.postgres.enabled .Values.secrets.generate .Values.secrets.external.enabled -}}yes{{- end }}
{{- end }}

{{- define "loyalty.postgresHost" -}}{{ include "loyalty.fullname" . }}-postgres-rw{{- end }}
