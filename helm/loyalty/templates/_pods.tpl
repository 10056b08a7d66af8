{{/* What all pods of the platform have in common: (list $ "api"), and further annotations, if any. */}}

{{- define "loyalty.podMetadata" -}}
{{- $root := index . 0 -}}
{{- $annotations := $root.Values.pods.annotations -}}
{{- range rest (rest .) }}{{ $annotations = merge . $annotations }}{{ end -}}
labels:
  {{- include "loyalty.selector" . | nindent 2 }}
  {{- with $root.Values.pods.labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Who runs it and where: (list $ "api"). */}}
{{- define "loyalty.podSpec" -}}
{{- $root := index . 0 -}}
{{- $pods := $root.Values.pods -}}
serviceAccountName: {{ include "loyalty.fullname" $root }}-{{ index . 1 }}
{{ include "loyalty.podSecurity" $pods.user }}
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- include "loyalty.scheduling" $root }}
{{- end }}

{{/* Where pods of this release may run; begins with a line break where there is anything. */}}
{{- define "loyalty.scheduling" -}}
{{- range $key := list "nodeSelector" "tolerations" "affinity" "priorityClassName" }}
{{- with index $.Values.pods $key }}
{{ $key }}: {{ toJson . }}
{{- end }}
{{- end }}
{{- end }}

{{/* Over zones and nodes: (list $ "api" "ScheduleAnyway"). */}}
{{- define "loyalty.spread" -}}
{{- $selector := include "loyalty.selector" . -}}
{{- $unsatisfiable := index . 2 -}}
topologySpreadConstraints:
{{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - topologyKey: {{ $key }}
    maxSkew: 1
    whenUnsatisfiable: {{ $unsatisfiable }}
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- $selector | nindent 8 }}
{{- end }}
{{- end }}

{{- define "loyalty.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ . }}
  runAsGroup: {{ . }}
  fsGroup: {{ . }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "loyalty.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{/* A container of the platform, up to its command: (list $ settings (list "appDatabase" …)), and
     what else it mounts, if anything. */}}
{{- define "loyalty.container" -}}
{{- $root := index . 0 -}}
image: {{ include "loyalty.image" $root }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
{{ include "loyalty.containerSecurity" $root }}
env:
  - {name: LOYALTY_DATA_DIR, value: /tmp/loyalty}
  - {name: LOYALTY_LOG_FORMAT, value: {{ $root.Values.logs.format }}}
  - {name: LOYALTY_LOG_LEVEL, value: {{ $root.Values.logs.level }}}
  {{- include "loyalty.secretEnvironment" (list $root (index . 2)) | trim | nindent 2 }}
  {{- range $name, $value := $root.Values.settings }}
  - {name: {{ $name }}, value: {{ $value | quote }}}
  {{- end }}
  {{- with index . 1 }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
volumeMounts:
  - {name: secrets, mountPath: /run/loyalty, readOnly: true}
  - {name: tmp, mountPath: /tmp}
  {{- range rest (rest (rest .)) }}
  - {{ toJson . }}
  {{- end }}
{{- end }}

{{/* Waits until the schema is that of this release: (list $ (list "appDatabase" …)). */}}
{{- define "loyalty.waiting" -}}
{{- $root := index . 0 -}}
- name: wait
  {{- include "loyalty.container" (list $root nil (index . 1)) | nindent 2 }}
  args: [wait, --seconds, {{ add $root.Values.migration.waitSeconds $root.Values.migration.deadlineSeconds | quote }}]
  resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {cpu: "1", memory: 256Mi}}
{{- end }}

{{/* Volumes of a process of the platform: (list $ (list "appDatabase" …)). */}}
{{- define "loyalty.volumes" -}}
{{ include "loyalty.secretVolume" . }}
- name: tmp
  emptyDir: {medium: Memory, sizeLimit: 16Mi}
{{- end }}
