# What the scripts beside this file share: where the cache and the state are, the cluster's addresses, a few words
# of shell. Source it; it starts nothing. Read next: `up`.
# shellcheck shell=bash
# shellcheck disable=SC2034 # the names are for those who source this file

HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
CACHE="${FAIRLEAD_CACHE:-${HOME:-/root}/.cache/fairlead}/cluster"
STATE="${FAIRLEAD_CLUSTER_DIR:-/var/tmp/fairlead-cluster}"

NODE=fairlead-e2e
NODE_BRIDGE=e2e0      # holds NODE_IP; not a dummy device, since some kernels have none
POD_BRIDGE=e2e1
NODE_IP=10.99.0.1
POD_CIDR=10.244.0.0/16
NODE_POD_CIDR=10.244.0.0/24
SERVICE_CIDR=10.96.0.0/16
API_SERVICE_IP=10.96.0.1
DNS_IP=10.96.0.10
API_PORT=6443
# etcd, API server, kubelet (API, health), proxy (metrics, health), controller manager, scheduler.
PORTS=(2379 2380 "$API_PORT" 10250 10248 10249 10256 10257 10259)
SOCKET="$STATE/run/containerd.sock"

say() { printf '%s\n' "$*" >&2; }

die() {
  say "${0##*/}: $*"
  exit 1
}

# wait_for SECONDS WHAT COMMAND...: polls until COMMAND succeeds.
wait_for() {
  local limit=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < limit)) || die "waited too long for $what; see $STATE/logs"
    sleep 0.2
  done
}

# One script at a time may change the cluster. The lock lies beside the state, which `down` deletes.
lock() {
  mkdir -p "$(dirname "$STATE")"
  exec {LOCK}>"$STATE.lock"
  flock "$LOCK"
}

use_programs() {
  PATH="$("$HERE/build" --path):$PATH"
  export PATH KUBECONFIG="$STATE/kubeconfig"
}
