{{/* The Consul agent beside the services, as a container that outlives them. */}}
{{- define "hapg.consulAgent" -}}
- name: consul
  image: {{ .root.Values.consul.image }}
  imagePullPolicy: {{ .root.Values.consul.imagePullPolicy }}
  restartPolicy: Always
  command: [/bin/sh, /consul/config/start.sh]
  env:
    {{- include "hapg.podNameEnv" .root | nindent 4 }}
    {{- include "hapg.podPlaceEnv" .root | nindent 4 }}
    {{- if .root.Values.consul.external.enabled }}
    # A Consul that others use as well: a node's name must not be another's.
    - name: CONSUL_NODE_NAME
      value: $(POD_NAMESPACE)-$(POD_NAME)
    {{- else }}
    - name: CONSUL_NODE_NAME
      value: $(POD_NAME)
    {{- end }}
    {{- if and .root.Values.consul.external.enabled .root.Values.consul.external.tokenSecret }}
    - name: CONSUL_AGENT_TOKEN
      valueFrom:
        secretKeyRef:
          name: {{ .root.Values.consul.external.tokenSecret }}
          key: token
    {{- end }}
    {{- with .root.Values.consul.client.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  ports:
    - name: serf
      containerPort: 8301
    - name: serf-udp
      containerPort: 8301
      protocol: UDP
  livenessProbe:
    # That it has no leader, or nobody to join, is no reason to end it.
    tcpSocket:
      port: serf
    {{- toYaml .root.Values.consul.server.livenessProbe | nindent 4 }}
  resources: {{- toYaml .root.Values.consul.client.resources | nindent 4 }}
  securityContext:
    runAsUser: 100
    runAsGroup: 1000
    {{- include "hapg.containerSecurity" .root | nindent 4 }}
  volumeMounts:
    - name: consul-config
      mountPath: /consul/config
      readOnly: true
    - name: consul-data
      mountPath: /consul/data
    - name: consul-gossip
      mountPath: /consul/gossip
      readOnly: true
    {{- if .run }}
    # Where it is told that the pod ends for good.
    - name: run
      mountPath: /run/ha-postgres
      readOnly: true
    {{- end }}
    {{- include "hapg.consulCaMount" .root | nindent 4 }}
{{- end }}

{{/* Of `root`, with the ConfigMap `config`. */}}
{{- define "hapg.consulAgentVolumes" -}}
{{- $external := .root.Values.consul.external }}
- name: consul-config
  configMap:
    name: {{ .config }}
- name: consul-data
  emptyDir: {}
- name: consul-gossip
  secret:
    secretName: {{ include "hapg.gossipSecret" .root }}
    {{- if and $external.enabled (not .root.Values.consul.gossip.existingSecret) }}
    # An external Consul without encrypted gossip has none.
    optional: true
    {{- end }}
{{- if and $external.enabled $external.caSecret }}
- name: consul-ca
  secret:
    secretName: {{ $external.caSecret }}
{{- end }}
{{- end }}

{{- define "hapg.gossipSecret" -}}
{{ .Values.consul.gossip.existingSecret | default "consul-gossip" }}
{{- end }}

{{/* Servers to join: by the name of all of them, so that their number can change without a word to the agents. */}}
{{- define "hapg.retryJoin" -}}
{{- if .Values.consul.external.enabled -}}
{{ .Values.consul.external.retryJoin | toJson }}
{{- else -}}
["consul"]
{{- end -}}
{{- end }}

{{/* What servers and agents have in common. raft_multiplier 1: a new leader in about 3 s, not 15. */}}
{{- define "hapg.consulCommon" -}}
{{- $common := dict
  "datacenter" .Values.consul.datacenter
  "data_dir" "/consul/data"
  "bind_addr" "0.0.0.0"
  "retry_join" (include "hapg.retryJoin" . | fromJsonArray)
  "retry_interval" "1s"
  "performance" (dict "raft_multiplier" 1)
  "disable_update_check" true
-}}
{{ $common | toJson }}
{{- end }}
