{{- define "fairlead.egress.dns" -}}
# No peer, since a node-local DNS cache is not a pod.
- ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
{{- end }}

{{- /* Every address but the blocked ones. Some CNIs do not count pods as addresses, so pods are named too. */}}
{{- define "fairlead.egress.peers" -}}
{{- $v4 := list -}}
{{- $v6 := list -}}
{{- range . -}}
{{- if contains ":" . }}{{ $v6 = append $v6 . }}{{ else }}{{ $v4 = append $v4 . }}{{ end -}}
{{- end -}}
- ipBlock:
    cidr: 0.0.0.0/0
    {{- with $v4 }}
    except:
      {{- toYaml . | nindent 6 }}
    {{- end }}
- ipBlock:
    cidr: ::/0
    {{- with $v6 }}
    except:
      {{- toYaml . | nindent 6 }}
    {{- end }}
- namespaceSelector: {}
{{- end }}
