{{/* Labels by which things find each other. They can never change, so nothing decorative is among them. */}}
{{- define "hapg.selector" -}}
app.kubernetes.io/name: ha-postgres
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "hapg.labels" -}}
{{ include "hapg.selector" . }}
app.kubernetes.io/part-of: ha-postgres
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The Secret with all passwords. */}}
{{- define "hapg.secretName" -}}
{{ .Values.db.existingSecret | default "ha-postgres" }}
{{- end }}

{{/* A variable from a key of the Secret with all passwords. */}}
{{- define "hapg.secretEnv" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ include "hapg.secretName" .root }}
      key: {{ .key }}
{{- end }}

{{- define "hapg.podNameEnv" -}}
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
{{- end }}

{{- define "hapg.podPlaceEnv" -}}
- name: POD_IP
  valueFrom:
    fieldRef:
      fieldPath: status.podIP
- name: POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
{{- end }}

{{/* How services reach Consul: the agent of their own pod, and the servers by HTTP. */}}
{{- define "hapg.consulEnv" -}}
- name: CONSUL_HTTP_ADDR
  value: http://127.0.0.1:8500
{{- with .Values.consul.external }}
{{- if .enabled }}
{{- if .tokenSecret }}
- name: CONSUL_HTTP_TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ .tokenSecret }}
      key: token
{{- end }}
{{- if .caSecret }}
# The servers' certificates; the agent's own address says http:// and stays so.
- name: CONSUL_HTTP_SSL
  value: 'true'
- name: CONSUL_CACERT
  value: /etc/consul-ca/ca.crt
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* HTTP addresses of Consul servers, as one comma separated text. Three are enough: those of the catalogue are added to them. */}}
{{- define "hapg.consulServers" -}}
{{- if .Values.consul.external.enabled -}}
{{ join "," .Values.consul.external.httpAddresses }}
{{- else -}}
{{- range $number := until (min 3 (int .Values.consul.server.clusterSize) | int) -}}
{{ if $number }},{{ end }}http://consul-{{ $number }}.consul:8500
{{- end -}}
{{- end -}}
{{- end }}

{{- define "hapg.consulCaMount" -}}
{{- if and .Values.consul.external.enabled .Values.consul.external.caSecret }}
- name: consul-ca
  mountPath: /etc/consul-ca
  readOnly: true
{{- end }}
{{- end }}

{{/* What every container may do: nothing but write into its volumes. */}}
{{- define "hapg.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "hapg.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .user }}
runAsGroup: {{ .group }}
fsGroup: {{ .group }}
# Never again over a whole volume: PostgreSQL refuses a directory that the group may write to.
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* Where pods may run, by the values of their group. */}}
{{- define "hapg.scheduling" -}}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- $spread := list }}
{{- with .values.topologySpread }}
{{- range list (list .hosts "kubernetes.io/hostname") (list .zones "topology.kubernetes.io/zone") }}
{{- if ne (first .) "Off" }}
{{- $spread = append $spread . }}
{{- end }}
{{- end }}
{{- end }}
{{- if $spread }}
topologySpreadConstraints:
{{- range $spread }}
  - maxSkew: 1
    topologyKey: {{ last . }}
    whenUnsatisfiable: {{ first . }}
    labelSelector:
      matchLabels: {{- include "hapg.selector" (dict "root" $.root "component" $.component) | nindent 8 }}
{{- end }}
{{- end }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Milliseconds of a duration such as 500ms, 3s or 1.5m. */}}
{{- define "hapg.milliseconds" -}}
{{- $text := toString . -}}
{{- $number := regexFind "^[0-9.]+" $text | float64 -}}
{{- $factor := get (dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 "d" 86400000) (regexFind "[a-z]+$" $text | default "ms") -}}
{{- mulf $number $factor | int64 -}}
{{- end }}

{{/* Not empty if Replicas stream through the load balancers. */}}
{{- define "hapg.isLb" -}}
{{- if eq (get .Values.db.controller.options "replicationVia" | default "direct") "lb" }}yes{{ end -}}
{{- end }}

{{/* A number without an exponent, a boolean as on or off, a text as it is. */}}
{{- define "hapg.scalar" -}}
{{- if kindIs "bool" . -}}{{ ternary "on" "off" . }}
{{- else if kindIs "float64" . -}}{{ if eq . (floor .) }}{{ int64 . }}{{ else }}{{ . }}{{ end }}
{{- else -}}{{ . }}
{{- end -}}
{{- end }}
