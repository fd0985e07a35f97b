{{/* The very text that libs/haproxy-config writes: a test holds both together, and that library says why each line is there. */}}
{{- define "hapg.haproxyConfig" -}}
{{- $lb := .Values.lb -}}
{{- $times := $lb.haproxy.timeouts -}}
{{- $checked := "default-server check addr 127.0.0.1 port 1 inter 1s fastinter 700ms downinter 500ms fall 3 rise 1" -}}
global
    maxconn {{ int64 $lb.haproxy.maxConnections }}
    nbthread {{ int $lb.haproxy.threads }}
    hard-stop-after 5s
    stats socket 127.0.0.1:9998 level admin
    stats socket *:{{ int $lb.haproxy.statsPort }} level user
    stats maxconn 20
    log stdout format raw local0 notice

defaults
    mode tcp
    log global
    option dontlog-normal
    option tcpka
    retries 0
    timeout connect {{ $times.connect }}
    timeout client {{ $times.read }}
    timeout server {{ $times.read }}
    timeout queue {{ $times.queue }}
    timeout check 1s

listen master
    bind *:{{ int $lb.masterDbPort }}
    filter trace quiet
    option httpchk GET /controller/ready?role=Master
    http-check expect status 200
    {{ $checked }} on-marked-down shutdown-sessions
    server master0 127.0.0.1:1 maxconn {{ int64 $lb.haproxy.maxConnections }} disabled
    bind 127.0.0.1:9997 name hold
    use-server hold if { so_name -m str hold }
    server hold 127.0.0.1:1 no-check weight 0 maxconn 1 disabled

listen standby
    bind *:{{ int $lb.standbyDbPort }}
    filter trace quiet
    balance leastconn
    retries 2
    option redispatch 1
    option httpchk GET /controller/ready?role=Replica
    http-check expect status 200
    {{ $checked }} on-marked-down shutdown-sessions
{{- range $slot := until (int $lb.maxNumberOfStandbys) }}
    server standby{{ $slot }} 127.0.0.1:1 disabled
{{- end }}
{{- if include "hapg.isLb" . }}

listen replication
    bind *:5434
    filter trace quiet
    server replication0 127.0.0.1:1 disabled
{{- end }}
{{ end }}
