{{- /* podMonitor: of {root, component, port}. */}}
{{- define "fairlead.podMonitor" -}}
{{- $monitor := .root.Values.podMonitor -}}
{{- $known := .root.Capabilities.APIVersions.Has "monitoring.coreos.com/v1/PodMonitor" -}}
{{- if and (index .root.Values .component).enabled $monitor.enabled -}}
{{- if and (not $known) (eq $monitor.renderMode "failIfMissing") -}}
{{- fail "the cluster has no PodMonitor kind; install the Prometheus operator, or set podMonitor.renderMode: skipIfMissing" -}}
{{- end -}}
{{- if or $known (eq $monitor.renderMode "alwaysRender") -}}
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata:
  name: {{ include "fairlead.componentName" . }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "fairlead.labels" . | nindent 4 }}
    {{- with $monitor.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  selector:
    matchLabels:
      {{- include "fairlead.selectorLabels" . | nindent 6 }}
  podMetricsEndpoints:
    - port: {{ .port }}
      path: /metrics
      {{- with $monitor.interval }}
      interval: {{ . }}
      {{- end }}
      {{- with $monitor.scrapeTimeout }}
      scrapeTimeout: {{ . }}
      {{- end }}
      {{- with $monitor.relabelings }}
      relabelings:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $monitor.metricRelabelings }}
      metricRelabelings:
        {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end }}
{{- end }}
{{- end }}
